//! What a date is to somebody's employment and to the links of their accounts. No event tells of it, and it changes nothing
//! that events say: it says why a day holds nothing, and that what a day outside of the employment holds is no punch of the
//! person's ([`PersonDay::recorded`]). The last night of somebody who leaves is of their last evening, as
//! their punches are; a stay that begins after midnight is of its own date, as its punches are.

use super::{PersonDay, Silence};

/// Where a date lies to somebody's employment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Employment {
    /// Before its first date.
    Before,
    /// Within it.
    During,
    /// After its last date.
    After,
}

impl Employment {
    /// On `date`, of somebody who is employed from the first to the last date, both included; each open when absent.
    #[must_use]
    pub fn on<D: PartialOrd>(date: D, first: Option<D>, last: Option<D>) -> Self {
        if first.is_some_and(|first| date < first) {
            Self::Before
        } else if last.is_some_and(|last| last < date) {
            Self::After
        } else {
            Self::During
        }
    }
}

/// What a date is to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// To their employment.
    pub employment: Employment,
    /// What the date before it is to that: a night is of the evening on which it began.
    pub evening_before: Employment,
    /// Whether all links of their accounts begin later, and there is one.
    pub before_first_link: bool,
}

impl Standing {
    /// Nothing is missing from a day on which nothing of the person's could be recorded.
    fn explains(self, silence: Silence) -> Silence {
        match (self.employment, silence) {
            (Employment::Before, _) => Silence::BeforeEmployment,
            (Employment::After, _) => Silence::AfterEmployment,
            (Employment::During, Silence::NoAccount) if self.before_first_link => Silence::BeforeFirstLink,
            (Employment::During, silence) => silence,
        }
    }
}

impl PersonDay {
    /// The same day, of somebody to whom its date is this.
    #[must_use]
    pub fn of_one_with(self, standing: Standing) -> Self {
        let silence = self.silence.map(|silence| standing.explains(silence));
        let of_the_evening = self.holds_only_the_night_before();
        let recorded = if of_the_evening { standing.evening_before } else { standing.employment };
        Self { employment: standing.employment, recorded, silence, ..self }
    }
}
