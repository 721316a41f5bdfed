//! `/days/remarks`: what employees have said, as far as the person reaches: what nobody responsible has read yet, or all of it,
//! with who read it, what they answered, and what was withdrawn. A remark that was read is never gone from here.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{
    Beside, ListedRemark, REMARK_CHARS_MAX, RemarkId, RemarkKey, RemarkReading, RemarkShow,
};

use super::super::WebState;
use super::super::chrome::{Banner, Chrome, Place, Tone};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::me::Said;
use super::super::me::remarks::is_remark_text;
use super::super::pages::{ROWS, Turns, address, bad_place, beside, shown};
use super::super::session::Visit;
use super::super::views::{self, Segment};
use super::{Whose, day_address, fields, month_address};
use crate::access::Action;

/// Address of the list.
const LIST: &str = "/days/remarks";

/// Words of the choices in addresses.
const SHOWS: [(&str, RemarkShow); 2] = [("", RemarkShow::Open), ("all", RemarkShow::All)];

/// A remark, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Whose.
    pub whose: Whose,
    /// The day in words.
    pub date: String,
    /// Address of the day.
    pub day: String,
    /// Address of the month.
    pub month: String,
    /// What is said.
    pub said: Said,
    /// Address that says it has been read; absent when it has, for one's own, and for those who may not.
    pub read: Option<String>,
}

impl Row {
    fn of(found: &ListedRemark, visit: &Visit) -> Self {
        let (c, data) = (&visit.chrome, &found.remark.data);
        let open = found.remark.read.is_none() && found.remark.withdrawn_at.is_none();
        let may = open && visit.may(Action::RemarksRead) && visit.employee() != Some(data.employee);
        Self {
            whose: Whose {
                code: found.employee_code.clone(),
                name: found.employee_name.clone(),
                department: found.department.clone().unwrap_or_default(),
            },
            date: c.long_date(data.date),
            day: day_address(&found.employee_code, data.date),
            month: month_address(&found.employee_code, data.date),
            said: Said::of(&found.remark, false, c),
            read: may.then(|| reading(found.remark.id)),
        }
    }
}

/// Address that says a remark has been read.
#[must_use]
pub fn reading(remark: RemarkId) -> String {
    format!("/days/remarks/{remark}/read")
}

/// `GET /days/remarks`
///
/// # Errors
/// [`WebError`] when the person may not see attendance or the store fails.
pub async fn page(State(state): State<WebState>, mut visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let scope = visit.permit(Action::DaysOfPerson)?.scope()?;
    visit.chrome = visit.chrome.at(Place::Days);
    let asked = fields(&uri)?;
    let at = beside(&asked, RemarkKey::parse);
    if at.is_err() {
        visit.chrome.banner = Some(bad_place(&visit.chrome));
    }
    let at = at.unwrap_or_default();
    let (show, wanted) = shown(&SHOWS, asked.text("show"), &mut visit.chrome);
    let found = state.store.remark_page(scope, wanted, at, ROWS).await?;
    if found.rows.is_empty() && at.is_some() {
        // All that lay there have been read meanwhile.
        return Ok(Redirect::to(&address::<RemarkKey>(LIST, &asked, None)).into_response());
    }
    let page = views::DaysRemarks {
        segments: segments(show, &visit.chrome),
        show,
        rows: found.rows.iter().map(|found| Row::of(found, &visit)).collect(),
        shown: visit.chrome.n("shown", found.rows.len()),
        turns: Turns::of(LIST, &asked, &found, at.as_ref())?,
        here: at.map(|at| match at {
            Beside::After(key) => ("after", key.to_string()),
            Beside::Before(key) => ("before", key.to_string()),
        }),
        c: visit.chrome,
    };
    Ok(page.render_page()?.into_response())
}

fn segments(show: &str, c: &Chrome) -> Vec<Segment> {
    let texts = ["remarks-open", "remarks-all"];
    let tab = |((word, _), key): ((&'static str, RemarkShow), &str)| Segment {
        href: address::<RemarkKey>(LIST, &showing(word), None),
        text: c.t(key),
        number: None,
        current: word == show,
        icon: "",
    };
    SHOWS.into_iter().zip(texts).map(tab).collect()
}

/// What an address has to ask for to get this choice.
fn showing(word: &str) -> Fields {
    let pairs = (!word.is_empty()).then(|| ("show".to_owned(), word.to_owned()));
    Fields::of_pairs(pairs.into_iter().collect())
}

/// `POST /days/remarks/{remark}/read`: somebody responsible has read it, and may answer. An answer that is too long is refused
/// with the mark: nothing of it is cut off. One that comes after somebody else's mark is told to be lost.
///
/// # Errors
/// [`WebError::NotFound`] when there is no such remark in the person's reach, or it is their own.
pub async fn read(
    State(state): State<WebState>,
    visit: Visit,
    Path(remark): Path<String>,
    form: Fields,
) -> Result<Response, WebError> {
    let scope = visit.permit(Action::RemarksRead)?.scope()?;
    let remark = RemarkId::parse(&remark).ok_or(WebError::NotFound)?;
    let c = &visit.chrome;
    let answer = form.filled("answer").map(str::to_owned);
    if answer.as_deref().is_some_and(|answer| !is_remark_text(answer)) {
        let text = c.n("text-too-long", REMARK_CHARS_MAX);
        visit.leave(Banner::new(Tone::Error, c.t("remark-not-read"), text)).await?;
        return Ok(Redirect::to(&list_of(&form)).into_response());
    }
    let found = state.store.read_remark(scope, remark, visit.employee(), answer.clone(), visit.act()).await?;
    // What was found is as it was before; the same form sent twice is no other answer.
    let is_kept = |read: &RemarkReading| read.answer == answer && read.by == visit.act().by;
    let is_late = found.withdrawn_at.is_some() || found.read.as_ref().is_some_and(|read| !is_kept(read));
    visit
        .leave(match answer.is_some() && is_late {
            true => Banner::new(Tone::Warn, c.t("remark-overtaken"), c.t("remark-overtaken-text")),
            false => Banner::new(Tone::Ok, c.t("remark-read-now"), c.t("remark-read-text")),
        })
        .await?;
    if form.text("from") != "day" {
        return Ok(Redirect::to(&list_of(&form)).into_response());
    }
    let employee = state.store.employee(scope, found.data.employee).await?.ok_or(WebError::NotFound)?;
    Ok(Redirect::to(&day_address(&employee.data.code, found.data.date)).into_response())
}

/// The list where the form stood.
fn list_of(form: &Fields) -> String {
    let here = beside(form, RemarkKey::parse).unwrap_or_default();
    let show = SHOWS.into_iter().map(|(word, _)| word).find(|word| *word == form.text("show"));
    address(LIST, &showing(show.unwrap_or_default()), here.as_ref())
}
