//! `/days/remarks`: what employees have said and nobody responsible has read yet, as far as the person reaches.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use mngntime_store::{Beside, OpenRemark, RemarkId, RemarkKey};

use super::super::WebState;
use super::super::chrome::{Banner, Place, Tone};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::me::Said;
use super::super::pages::{ROWS, Turns, address, bad_place, beside};
use super::super::session::Visit;
use super::super::views;
use super::{Whose, day_address, fields, month_address};
use crate::access::Action;

/// Address of the list.
const LIST: &str = "/days/remarks";

/// An open remark, ready to be written.
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
    /// Address that says it has been read; absent for one's own, and for those who may not.
    pub read: Option<String>,
}

impl Row {
    fn of(found: &OpenRemark, visit: &Visit) -> Self {
        let (c, data) = (&visit.chrome, &found.remark.data);
        let may = visit.may(Action::RemarksRead) && visit.employee() != Some(data.employee);
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
    let found = state.store.open_remarks(scope, at, ROWS).await?;
    if found.rows.is_empty() && at.is_some() {
        // All that lay there have been read meanwhile.
        return Ok(Redirect::to(LIST).into_response());
    }
    let page = views::DaysRemarks {
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

/// `POST /days/remarks/{remark}/read`: somebody responsible has read it.
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
    let found = state.store.read_remark(scope, remark, visit.employee(), visit.act()).await?;
    let c = &visit.chrome;
    visit.leave(Banner::new(Tone::Ok, c.t("remark-read-now"), c.t("remark-read-text"))).await?;
    let to = if form.text("from") == "day" {
        let employee = state.store.employee(scope, found.data.employee).await?.ok_or(WebError::NotFound)?;
        day_address(&employee.data.code, found.data.date)
    } else {
        let here = beside(&form, RemarkKey::parse).unwrap_or_default();
        address(LIST, &Fields::default(), here.as_ref())
    };
    Ok(Redirect::to(&to).into_response())
}
