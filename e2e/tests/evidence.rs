//! Evidence packs as strangers check them: by the program alone, without a network, and by a second verifier that
//! shares no code with it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::root;
use mngntime_e2e::server::mngntime;
use mngntime_e2e::up::Up;

/// An office of eight PCs over ten days; two people share the eighth.
const OFFICE: [&str; 6] = ["--terminals", "8", "--days", "10", "--seed", "11"];

fn said(output: &Output) -> String {
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{errors}")
}

/// A pack and its key.
struct Pack {
    file: PathBuf,
    key: PathBuf,
}

impl Pack {
    fn export(data: &Path, name: &str, what: &[&str]) -> Result<(Self, String)> {
        let folder = data.parent().context("a data directory has a parent")?;
        let pack = Self { file: folder.join(name), key: folder.join("key.pub") };
        let output = Command::new(mngntime()?)
            .args(["export", "evidence", "--data"])
            .arg(data)
            .args(what)
            .arg("--out")
            .arg(&pack.file)
            .arg("--public-key-out")
            .arg(&pack.key)
            .output()?;
        ensure!(output.status.success(), "{}", said(&output));
        Ok((pack, String::from_utf8(output.stdout)?))
    }

    /// The program alone: in a folder with nothing but its own copy, no environment, no network. Copied once for all
    /// packs of a test: unoptimised, it has 200 MB.
    fn verify(&self, file: &Path) -> Result<Output> {
        let alone = self.file.with_file_name("alone");
        let program = alone.join("mngntime");
        if !alone.exists() {
            fs::create_dir(&alone)?;
            fs::copy(mngntime()?, &program)?;
        }
        let mut command = Command::new("unshare");
        command
            .args(["--net", "env", "-i"])
            .arg(&program)
            .arg("verify")
            .arg(file)
            .arg("--key")
            .arg(&self.key);
        Ok(command.args(["--language", "en"]).current_dir(&alone).output()?)
    }

    fn verify_again(&self, file: &Path) -> Result<Output> {
        python("verify.py", &[file, &self.key])
    }

    /// Both verifiers say yes; what each of them says.
    fn is_good(&self) -> Result<(String, String)> {
        let (one, other) = (self.verify(&self.file)?, self.verify_again(&self.file)?);
        ensure!(one.status.success(), "{}", said(&one));
        ensure!(other.status.success(), "{}", said(&other));
        Ok((said(&one), said(&other)))
    }
}

/// Links the person who shares the eighth PC with another one, past the audit log, as somebody does who has the disk.
fn link_one_of_two(data: &Path) -> Result<()> {
    let database = rusqlite::Connection::open(data.join("mngntime.db"))?;
    database.execute_batch(
        "INSERT INTO employees (contract_id, id, code, name) VALUES (1, zeroblob(16), 'E1', '佐藤 花子');
         INSERT INTO account_links (contract_id, id, account_id, employee_id, from_date, created_at, created_by)
         SELECT 1, zeroblob(16), p.account_id, zeroblob(16), '2020-01-01', 0, 'test' FROM punches p
         WHERE p.terminal_id IN (SELECT terminal_id FROM punches GROUP BY terminal_id
                                 HAVING count(DISTINCT account_id) > 1)
         ORDER BY p.account_id LIMIT 1;",
    )?;
    Ok(())
}

/// A data directory put back from a backup of this one.
fn restored(data: &Path, beside: &Path) -> Result<PathBuf> {
    let (backup, target) = (beside.join("backup"), beside.join("restored"));
    let run = |command: &mut Command| -> Result<()> {
        let output = command.output()?;
        ensure!(output.status.success(), "{}", said(&output));
        Ok(())
    };
    run(Command::new(mngntime()?).arg("backup").arg("--data").arg(data).arg("--out").arg(&backup))?;
    run(Command::new(mngntime()?).arg("restore").arg("--from").arg(&backup).arg("--data").arg(&target))?;
    Ok(target)
}

#[test]
fn a_pack_is_checked_by_the_program_alone_and_by_a_verifier_that_is_not_ours() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let data = path.join("data");
    let up = Up::start(&data, "unix:path=/nonexistent/bus")?;
    let sim = Command::new(mngntime()?)
        .args(["sim", "--url", up.value("url")?, "--contract", up.value("contract")?])
        .args(["--enrollment-key", up.value("enrollment-key")?])
        .args(OFFICE)
        .output()?;
    ensure!(sim.status.success(), "{}", said(&sim));

    // While the server runs.
    let (all, exported) = Pack::export(&data, "all.zip", &["--all"])?;
    let events = exported.rsplit("events=").next().context("the number of events")?.trim().to_owned();
    let (ours, second) = all.is_good()?;
    ensure!(ours.contains(&format!("{events} of them carry the signature")), "{events}: {ours}");
    let all_backed = ["hidden=0 ".to_owned(), "unbacked_keys=0 unbacked_links=0".to_owned()];
    for count in [format!("events={events}"), format!("signed={events}")].into_iter().chain(all_backed) {
        ensure!(second.contains(&count), "{count}: {second}");
    }

    link_one_of_two(&data)?;
    let dates = ["--employee", "E1", "--from", "2020-01-01", "--to", "2099-12-31"];
    let (one, _) = Pack::export(&data, "one.zip", &dates)?;
    let (ours, second) = one.is_good()?;
    ensure!(
        second.contains("unbacked_keys=0 unbacked_links=1"),
        "the key is in the log, the link is not: {second}"
    );
    ensure!(ours.contains("The public keys of 0 terminal(s) and 1 link(s)"), "{ours}");
    ensure!(!second.contains("hidden=0 "), "somebody else shares the PC: {second}");
    ensure!(up.stop()?);

    // The entry of a restore is in a pack about somebody, too.
    let again = restored(&data, &path)?;
    let (ours, second) = Pack::export(&again, "restored.zip", &dates)?.0.is_good()?;
    ensure!(ours.starts_with("AUTHENTIC") && second.starts_with("good"), "{ours}{second}");

    // Every verifier refuses every pack in which one bit is another.
    let good = fs::read(&one.file)?;
    let touched = path.join("touched.zip");
    for step in 0..40 {
        let mut bytes = good.clone();
        let bit = (step * 7_919_777 + 13) % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&touched, &bytes)?;
        ensure!(one.verify(&touched)?.status.code() == Some(1), "ours, bit {bit}");
        ensure!(one.verify_again(&touched)?.status.code() == Some(1), "the second one, bit {bit}");
    }
    // Another server's key proves nothing.
    fs::write(&one.key, "ezwqNN1XMhxt0NHsIyWlM42VfKNhkX0YPO2w8M3q47w=\n")?;
    ensure!(one.verify(&one.file)?.status.code() == Some(1));
    ensure!(one.verify_again(&one.file)?.status.code() == Some(1));
    Ok(())
}

/// One forged pack, and what has to come of it.
struct Forgery {
    is_refused: bool,
    file: PathBuf,
    name: String,
    /// What the words must admit when nobody can see it.
    words: String,
}

/// Everything that `forgeries.py` can do to the record or pack `source` with the server's secret key.
fn forgeries(source: &Path, key: &Path, directory: &Path) -> Result<Vec<Forgery>> {
    fs::create_dir(directory)?;
    let listed = python("forgeries.py", &[source, key, directory])?;
    ensure!(listed.status.success(), "{}", said(&listed));
    let forgery = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        let [fate, file, name, words] = fields[..] else { bail!("{line}") };
        let (file, name, words) = (directory.join(file), name.to_owned(), words.to_owned());
        Ok(Forgery { is_refused: fate == "refused", file, name, words })
    };
    String::from_utf8(listed.stdout)?.lines().map(forgery).collect()
}

fn python(script: &str, arguments: &[&Path]) -> Result<Output> {
    let script = root().join("e2e/verifier").join(script);
    // -B: nothing is left beside the scripts.
    Ok(Command::new("/usr/bin/python3").arg("-B").arg(script).args(arguments).output()?)
}

/// The rows of the table of forgeries in which a verifier says something else than it has
/// to: forgery, the program's word, the second verifier's word.
fn wrong_rows(forgeries: &[Forgery], key: &Path) -> Result<Vec<String>> {
    let mut arguments: Vec<_> = forgeries.iter().map(|forgery| forgery.file.as_path()).collect();
    arguments.push(key);
    let second = String::from_utf8(python("verify.py", &arguments)?.stdout)?;
    ensure!(second.lines().count() == forgeries.len(), "{second}");
    let mut wrong = Vec::new();
    for (forgery, second) in forgeries.iter().zip(second.lines()) {
        let mut verify = Command::new(mngntime()?);
        verify.arg("verify").arg(&forgery.file).arg("--key").arg(key).args(["--language", "en"]);
        let first = verify.output()?;
        let expected = if forgery.is_refused { (Some(1), "bad: ") } else { (Some(0), "good ") };
        let agree = first.status.code() == expected.0 && second.starts_with(expected.1);
        let first_says = |part: &str| said(&first).contains(part);
        let named = forgery.words.split(" | ").all(first_says);
        if !agree || !named || !(forgery.is_refused || count_alike(&said(&first), second)) {
            wrong.push(format!("{} | {} | {second}", forgery.name, said(&first)));
        }
    }
    Ok(wrong)
}

/// Whether both say as many events without a signature, as many times that do not fit, and as many terminals with too many
/// days.
fn count_alike(first: &str, second: &str) -> bool {
    let count = |name: &str| {
        let value = second.split(&format!(" {name}=")).nth(1).and_then(|rest| rest.split_whitespace().next());
        value.and_then(|value| value.parse::<u64>().ok())
    };
    let is_said = |count: u64, what: &str| match count {
        0 => !first.contains(what),
        count => first.contains(&format!(" {count} {what}")),
    };
    let signed = count("signed").zip(count("withheld")).map(|(signed, withheld)| signed + withheld);
    let unsigned = count("events").zip(signed).map(|(events, signed)| events - signed);
    let together = "event(s) sent together with what is not shown";
    count("withheld").is_some_and(|count| is_said(count, together))
        && unsigned.is_some_and(|count| is_said(count, "event(s) without their terminal's signature"))
        && count("odd_times").is_some_and(|count| is_said(count, "time(s) that do not fit the order"))
        && count("sent_otherwise")
            .is_some_and(|count| is_said(count, "event(s) that came otherwise than any"))
        && count("cut").is_some_and(|count| is_said(count, "terminal(s) whose oldest days are not shown"))
}

#[test]
fn both_verifiers_refuse_every_forgery_by_who_holds_the_servers_key() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let data = path.join("data");
    let up = Up::start(&data, "unix:path=/nonexistent/bus")?;
    let sim = Command::new(mngntime()?)
        .args(["sim", "--url", up.value("url")?, "--contract", up.value("contract")?])
        .args([
            "--enrollment-key",
            up.value("enrollment-key")?,
            "--terminals",
            "2",
            "--days",
            "3",
            "--seed",
            "11",
        ])
        .output()?;
    ensure!(sim.status.success(), "{}", said(&sim));
    let (everything, _) = Pack::export(&data, "all.zip", &["--all"])?;
    ensure!(up.stop()?);
    // One employee's record, with hidden and missing numbers and two months; its server's key is known.
    let (one, key_of_one) = (root().join("crates/evidence/tests/record.jsonl"), path.join("key-of-one"));
    // Everything of a contract with a month that was retired, of the same server.
    let retired = root().join("crates/evidence/tests/retired.jsonl");
    fs::write(&key_of_one, [42; 32])?;

    let mut done = BTreeSet::new();
    for (source, key, folder) in [
        (&one, &key_of_one, "one"),
        (&retired, &key_of_one, "retired"),
        (&everything.file, &data.join("server-key"), "everything"),
    ] {
        let folder = path.join(folder);
        let forgeries = forgeries(source, key, &folder)?;
        let wrong = wrong_rows(&forgeries, &folder.join("key.pub"))?;
        ensure!(wrong.is_empty(), "of {}: {wrong:#?}", source.display());
        done.extend(forgeries.into_iter().map(|forgery| forgery.name));
    }
    let names = String::from_utf8(python("forgeries.py", &[Path::new("--names")])?.stdout)?;
    let not_done: Vec<_> = names.lines().filter(|name| !done.contains(*name)).collect();
    ensure!(not_done.is_empty() && names.lines().count() > 130, "neither record had room for {not_done:?}");
    Ok(())
}

#[test]
fn both_verifiers_judge_days_to_which_everything_happens_and_batches_written_in_odd_ways_alike() -> Result<()>
{
    let (_directory, path) = short_directory()?;
    let key = path.join("key");
    fs::write(&key, [42; 32])?;
    let (first, last) = (1, 200);
    let seeds = [first.to_string(), last.to_string()];
    let made = python("stories.py", &[&key, &path, Path::new(&seeds[0]), Path::new(&seeds[1])])?;
    ensure!(made.status.success(), "{}", said(&made));
    let story = |name: String| Forgery {
        is_refused: false,
        file: path.join(format!("{name}.zip")),
        name,
        words: "AUTHENTIC".to_owned(),
    };
    let odd = said(&made).split("odd=").nth(1).and_then(|count| count.trim().parse().ok());
    let odd: usize = odd.filter(|count| *count > 20).context("packs of odd batches")?;
    let odd = (0..odd).map(|number| format!("odd-{number}"));
    let stories: Vec<_> = (first..=last).map(|seed: u64| seed.to_string()).chain(odd).map(story).collect();
    let wrong = wrong_rows(&stories, &path.join("key.pub"))?;
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// Seeds of the packs in which something was changed at random: those that a run has time for. Others show more, with
/// `e2e/verifier/mutants.py` and some hours.
const MUTANTS: [&str; 2] = ["1", "240"];

#[test]
fn both_verifiers_say_the_same_of_packs_in_which_something_was_changed_at_random() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let (source, key) = (root().join("crates/evidence/tests/record.jsonl"), path.join("key"));
    fs::write(&key, [42; 32])?;
    let [first, last] = MUTANTS.map(Path::new);
    let made = python("mutants.py", &[&source, &key, &path, first, last])?;
    ensure!(made.status.success(), "{}", said(&made));
    let made = String::from_utf8(made.stdout)?;
    let made: Vec<(&str, &str)> = made.lines().filter_map(|line| line.split_once('\t')).collect();
    let key = path.join("key.pub");
    let mut arguments: Vec<PathBuf> = made.iter().map(|(file, _)| path.join(file)).collect();
    arguments.push(key.clone());
    let second = python("verify.py", &arguments.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
    let second = String::from_utf8(second.stdout)?;
    ensure!(second.lines().count() == made.len(), "{second}");
    let (mut accepted, mut differ) = (0, Vec::new());
    for ((file, change), second) in made.iter().zip(second.lines()) {
        let mut verify = Command::new(mngntime()?);
        verify.arg("verify").arg(path.join(file)).arg("--key").arg(&key).args(["--language", "en"]);
        let first = verify.output()?;
        let agree = match first.status.code() {
            Some(0) => second.starts_with("good ") && count_alike(&said(&first), second),
            Some(1) => second.starts_with("bad: "),
            _ => false,
        };
        accepted += usize::from(first.status.success());
        if !agree {
            differ.push(format!("{file} | {change} | {} | {second}", said(&first)));
        }
    }
    ensure!(differ.is_empty(), "{differ:#?}");
    ensure!(accepted > 40 && made.len() - accepted > 100, "{accepted} of {} were accepted", made.len());
    Ok(())
}

#[test]
fn the_second_verifier_refuses_every_bit_of_an_entry_and_whatever_contradicts_one() -> Result<()> {
    let output = python("changes.py", &[&root().join("crates/evidence/tests/record.jsonl")])?;
    ensure!(output.status.success(), "{}", said(&output));
    ensure!(said(&output).contains("contradictions=14"), "{}", said(&output));
    Ok(())
}

/// How the program calls what the second comparer calls by these names.
const KINDS: [(&str, &str); 13] = [
    ("bytes", ": the bytes are others"),
    ("place", ": it stands in another place of the log"),
    ("missing", "the other that it never arrived"),
    ("left_out", "the other, which is about everything, has not"),
    ("key", ": the public key is another one"),
    ("results", ": the results are others"),
    ("retired", "what was deleted under this number happened at another time"),
    ("occupied", ": two different records stand in it"),
    ("part", "is another one by the proofs of each"),
    ("leaf", ": the time of receipt, or something else of it"),
    ("tree", "two different states of the log of"),
    ("ended", "was signed as ended with"),
    ("shorter", "in the pack that was made later"),
];

/// The same of what is said of lengths, in the first line.
const LENGTHS: [(&str, [&str; 2]); 7] = [
    ("older", ["a log that ends before", "by its own time it was made before the rest"]),
    ("set_back", ["a log that ends before", "clock was set back, or the end was cut off"]),
    ("unclear", ["a log that ends before", "whether the end was cut off is not known"]),
    ("early_receipts", ["received later", "by the log than by their receipt"]),
    ("results_gone", ["result(s) gone from", "the one of the two with the longer log"]),
    ("other_set_back", ["a log that goes on after", "clock was set back, or the end was cut off"]),
    ("other_unclear", ["a log that goes on after", "whether the end was cut off is not known"]),
];

/// A pack beside another statement, and what has to come of it.
struct Beside {
    name: String,
    files: [PathBuf; 2],
    /// Kinds of contradictions that there must be, apart by commas; none in an honest pair.
    kinds: String,
    /// What has to be said of the lengths.
    lengths: String,
}

impl Beside {
    /// What both comparers say, if that is not the same, or not what it has to be.
    fn wrong(&self, second: &str, key: &Path) -> Result<Option<String>> {
        let mut verify = Command::new(mngntime()?);
        verify.arg("verify").arg(&self.files[0]).arg("--against").arg(&self.files[1]);
        let output = verify.arg("--key").arg(key).args(["--language", "en"]).output()?;
        let (first, text) = (output.status.code(), said(&output));
        let list = |name: &str| {
            let list = second.split(&format!(" {name}=")).nth(1)?.split(' ').next()?;
            Some(list.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>())
        };
        let (kinds, lengths) = list("kinds").zip(list("lengths")).context(second.to_owned())?;
        let (line, rest) = text.split_once('\n').unwrap_or_default();
        let beside = rest.split("Proven:").next().unwrap_or_default();
        let said_kinds = KINDS.iter().filter(|(_, words)| beside.contains(words));
        let said_kinds: BTreeSet<_> = said_kinds.map(|(kind, _)| (*kind).to_owned()).collect();
        let in_line = |words: &[&str; 2]| words.iter().all(|words| line.contains(words));
        let said_lengths = LENGTHS.iter().filter(|(_, words)| in_line(words));
        let said_lengths: BTreeSet<_> = said_lengths.map(|(length, _)| (*length).to_owned()).collect();
        let is_contradicted = !self.kinds.is_empty();
        let mut unexplained: Vec<_> = beside.split(" of the contradictions lie before what").collect();
        unexplained.pop();
        let unexplained: BTreeSet<_> =
            unexplained.into_iter().filter_map(|text| text.rsplit(' ').next()).map(str::to_owned).collect();
        let restores = list("restores").context(second.to_owned())?;
        let agree = kinds == said_kinds
            && if is_contradicted { restores == unexplained } else { lengths == said_lengths };
        let expected = self.kinds.split(',').all(|kind| kind.is_empty() || kinds.contains(kind))
            && kinds.is_empty() != is_contradicted
            && (is_contradicted || lengths.into_iter().collect::<Vec<_>>().join(",") == self.lengths)
            && first == Some(i32::from(is_contradicted))
            && line.starts_with("CONTRADICTED") == is_contradicted;
        Ok((!(agree && expected)).then(|| format!("{} | {text} | {second}", self.name)))
    }
}

/// Every pair that both comparers do not judge as they have to.
fn wrong_pairs(pairs: &[Beside], key: &Path) -> Result<Vec<String>> {
    let files = pairs.iter().flat_map(|pair| pair.files.iter().map(PathBuf::as_path));
    let arguments: Vec<_> = std::iter::once(key).chain(files).collect();
    let output = python("against.py", &arguments)?;
    let second = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(second.lines().count() == pairs.len(), "{}", said(&output));
    let wrong = pairs.iter().zip(second.lines()).map(|(pair, second)| pair.wrong(second, key));
    Ok(wrong.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The table of logs that were written anew, made of a pack about everything.
fn rewritings(source: &Path, key: &Path, directory: &Path) -> Result<Vec<Beside>> {
    fs::create_dir(directory)?;
    let listed = python("rewritings.py", &[source, key, directory])?;
    ensure!(listed.status.success(), "{}", said(&listed));
    let pair = |line: &str| {
        let fields: Vec<_> = line.split('\t').map(str::to_owned).collect();
        let [_, pack, other, name, kinds, lengths] = &fields[..] else { bail!("{line}") };
        let files = [pack, other].map(|file| directory.join(file));
        let [name, kinds, lengths] = [name, kinds, lengths].map(String::clone);
        Ok(Beside { name, files, kinds, lengths })
    };
    String::from_utf8(listed.stdout)?.lines().map(pair).collect()
}

#[test]
fn both_comparers_see_every_log_that_was_written_anew_and_accuse_no_honest_server() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let data = path.join("data");
    let up = Up::start(&data, "unix:path=/nonexistent/bus")?;
    let sim = |seed: &str| -> Result<()> {
        let sim = Command::new(mngntime()?)
            .args(["sim", "--url", up.value("url")?, "--contract", up.value("contract")?])
            .args(["--enrollment-key", up.value("enrollment-key")?])
            .args(["--terminals", "2", "--days", "3", "--seed", seed])
            .output()?;
        ensure!(sim.status.success(), "{}", said(&sim));
        Ok(())
    };
    sim("11")?;
    let (older, _) = Pack::export(&data, "older.zip", &["--all"])?;
    sim("12")?;
    let (newer, _) = Pack::export(&data, "newer.zip", &["--all"])?;
    ensure!(up.stop()?);

    let pair = |name: &str, one: &Pack, other: &Pack, lengths: &str| Beside {
        name: name.to_owned(),
        files: [one.file.clone(), other.file.clone()],
        kinds: String::new(),
        lengths: lengths.to_owned(),
    };
    let honest = [
        pair("the newer one beside the older one", &newer, &older, ""),
        pair("the older one beside the newer one", &older, &newer, "older"),
        pair("one beside itself", &newer, &newer, ""),
    ];
    let wrong = wrong_pairs(&honest, &newer.key)?;
    ensure!(wrong.is_empty(), "{wrong:#?}");
    let folder = path.join("rewritten");
    let rewritten = rewritings(&newer.file, &data.join("server-key"), &folder)?;
    let wrong = wrong_pairs(&rewritten, &folder.join("key.pub"))?;
    ensure!(wrong.is_empty(), "{wrong:#?}");
    let names = String::from_utf8(python("rewritings.py", &[Path::new("--names")])?.stdout)?;
    let done: BTreeSet<_> = rewritten.iter().map(|pair| pair.name.as_str()).collect();
    let not_done: Vec<_> = names.lines().filter(|name| !done.contains(name)).collect();
    ensure!(not_done.is_empty() && names.lines().count() > 38, "no pair of {not_done:?}");
    Ok(())
}
