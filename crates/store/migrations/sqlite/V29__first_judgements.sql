-- A punch that was judged once has no row in judgements: when it arrived and what it came to stand in its own. Nothing of what
-- is there changes; but a program that does not know this would write the second judgement as the first one, and must not open
-- what one that does has written. Frozen: a change is a new file with the next number.
SELECT 1;
