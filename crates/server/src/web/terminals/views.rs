//! One struct for each template of the terminals' pages.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};

use crate::access::Action;
use crate::web::chrome::{Chrome, Place};
use crate::web::errors::WebError;
use crate::web::views::{Choice, Steps};

use super::board::{Cell, Row};
use super::detail::{Act, Fact, Gap, Past};
use super::keys::{Draft, KeyRow, RefusedRow};
use super::pictures::{ContactPicture, DayLine, OffsetPicture};
use super::rollout::{PackageRow, Snippets};
use super::standing::Note;
use crate::web::pages::Turns;

/// Writes a page.
///
/// # Errors
/// When the template fails.
pub fn render(page: &impl Template) -> Result<Response, WebError> {
    Ok(Html(page.render()?).into_response())
}

/// 端末
#[derive(Debug, Clone, Template)]
#[template(path = "terminals.html")]
pub struct Terminals {
    /// Surroundings.
    pub c: Chrome,
    /// How they are heard of.
    pub contact: Vec<Cell>,
    /// What somebody should look into.
    pub marks: Vec<Cell>,
    /// Orders to choose from.
    pub orders: Vec<Choice>,
    /// Rows.
    pub rows: Vec<Row>,
    /// How many there are of these, on all pages.
    pub matches: u64,
    /// Whether some are on other pages.
    pub more: bool,
    /// How many are shown, in words.
    pub shown: String,
    /// The pages around it.
    pub turns: Turns,
    /// Terminals in use.
    pub total: u64,
    /// What is searched for.
    pub q: String,
    /// Word of the choice shown.
    pub show: String,
    /// The choice shown, in words.
    pub show_text: String,
    /// Address of the file.
    pub csv: String,
    /// Address of the list as it is, to come back to.
    pub here: String,
    /// Whether terminals can be blocked.
    pub may_block: bool,
    /// Whether they can be taken into use again.
    pub may_unblock: bool,
    /// Whether they can be retired.
    pub may_retire: bool,
    /// Whether those shown are out of use.
    pub retired: bool,
}

/// 端末 before the first one
#[derive(Debug, Clone, Template)]
#[template(path = "terminals-blank.html")]
pub struct TerminalsBlank {
    /// Surroundings.
    pub c: Chrome,
    /// What to do.
    pub steps: Steps,
}

/// One terminal.
#[derive(Debug, Clone, Template)]
#[template(path = "terminal.html")]
pub struct TerminalPage {
    /// Surroundings.
    pub c: Chrome,
    /// Its id.
    pub id: String,
    /// PC name.
    pub host: String,
    /// Class and drawing of its state.
    pub state: &'static str,
    /// Its state in words.
    pub state_text: String,
    /// Marks in words.
    pub tags: Vec<String>,
    /// Whether its identity is in doubt.
    pub is_error: bool,
    /// What to do next, in a sentence.
    pub next_step: String,
    /// Addresses of the others of its name, each with what tells it apart.
    pub namesakes: Vec<(String, String)>,
    /// What somebody should look into.
    pub notes: Vec<Note>,
    /// What it is.
    pub facts: Vec<Fact>,
    /// When it was heard of, as a picture.
    pub contacts: ContactPicture,
    /// Its clock, as a picture; absent when it has not been heard of in these days.
    pub offsets: Option<OffsetPicture>,
    /// The same as a table.
    pub days: Vec<DayLine>,
    /// Which numbers the server holds, in words.
    pub numbers: String,
    /// Missing numbers.
    pub gaps: Vec<Gap>,
    /// Whether there are more gaps than are shown.
    pub more_gaps: bool,
    /// Roll-backs and copies, in words.
    pub incidents: Vec<String>,
    /// Enrolments and versions.
    pub past: Vec<Past>,
    /// The note.
    pub note: String,
    /// Who wrote it, and when; empty when there is none.
    pub note_by: String,
    /// What can be done.
    pub acts: Vec<Act>,
    /// Address of its punches; absent for who may not see them.
    pub punches: Option<String>,
    /// Whether the note can be changed.
    pub may_note: bool,
}

/// A question before something harmful is done.
#[derive(Debug, Clone, Template)]
#[template(path = "terminals-confirm.html")]
pub struct Confirm {
    /// Surroundings.
    pub c: Chrome,
    /// What would be done.
    pub title: String,
    /// What it means.
    pub text: String,
    /// How they were found, where it is everything that a list holds; else empty.
    pub conditions: String,
    /// To what.
    pub names: Vec<String>,
    /// How many more there are, in words; empty when there are none.
    pub more: String,
    /// The reason as typed before, where one can be given.
    pub reason: Option<String>,
    /// Where the form goes.
    pub action: String,
    /// Its fields.
    pub hidden: Vec<(&'static str, String)>,
    /// Words of the button.
    pub button: String,
    /// Whether the button is red.
    pub danger: bool,
    /// Where to go instead.
    pub back: String,
}

/// 登録キー
#[derive(Debug, Clone, Template)]
#[template(path = "terminal-keys.html")]
pub struct Keys {
    /// Surroundings.
    pub c: Chrome,
    /// Keys, the newest first.
    pub rows: Vec<KeyRow>,
    /// The form as typed before.
    pub draft: Draft,
    /// Whether keys can be made and ended.
    pub may_change: bool,
    /// How many PCs were refused, in words; empty for none.
    pub refused_text: String,
    /// The last of them.
    pub refused: Vec<RefusedRow>,
}

/// A key is replaced.
#[derive(Debug, Clone, Template)]
#[template(path = "terminal-key-rotate.html")]
pub struct RotateKey {
    /// Surroundings.
    pub c: Chrome,
    /// Number of the old key.
    pub number: u64,
    /// The form as typed before.
    pub draft: Draft,
    /// Days for which both hold.
    pub overlaps: Vec<Choice>,
}

/// A key that has just been made: the only time that it is shown.
#[derive(Debug, Clone, Template)]
#[template(path = "terminal-key-made.html")]
pub struct KeyMade {
    /// Surroundings.
    pub c: Chrome,
    /// Its number.
    pub number: u64,
    /// The key.
    pub secret: String,
    /// When the key before it ends, where one does.
    pub old_ends: String,
    /// Where it goes.
    pub snippets: Snippets,
}

/// 端末を登録する
#[derive(Debug, Clone, Template)]
#[template(path = "terminal-rollout.html")]
pub struct Rollout {
    /// Surroundings.
    pub c: Chrome,
    /// Packages of this server.
    pub packages: Vec<PackageRow>,
    /// Whether they cannot be read.
    pub unreadable: bool,
    /// Where packages are otherwise.
    pub downloads: Option<String>,
    /// What goes where.
    pub snippets: Snippets,
    /// Whether keys can be made.
    pub may_make_keys: bool,
}
