//! Whose days? A list with a search.

use axum::response::{IntoResponse as _, Response};
use mngntime_store::{Employee, Scope};

use super::super::WebState;
use super::super::employees::{mentions, shown};
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::lookup;
use super::super::pages::Cut;
use super::super::session::Visit;
use super::super::views;
use super::{Whose, month_address};

/// A person to choose.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who.
    pub whose: Whose,
    /// Address of the month.
    pub href: String,
}

/// The list.
pub(super) async fn page(
    state: &WebState,
    scope: Scope,
    visit: Visit,
    fields: &Fields,
) -> Result<Response, WebError> {
    let c = &visit.chrome;
    let all = lookup::employees(state.store.as_ref(), scope).await?;
    let (q, today) = (fields.text("q"), c.today());
    let here = |employee: &&Employee| employee.data.active_to.is_none_or(|to| today <= to) || !q.is_empty();
    let found: Vec<&Employee> = all.iter().filter(here).filter(|employee| mentions(employee, q)).collect();
    let cut = Cut::of(fields.text("page"), found.len());
    let row = |employee: &&Employee| Row {
        whose: Whose::of(employee),
        href: month_address(&employee.data.code, today),
    };
    let page = views::DaysPeople {
        rows: cut.slice(&found).iter().map(row).collect(),
        shown: shown(c, "shown-employees", cut),
        next: views::next_address("/days", fields, cut),
        q: q.to_owned(),
        c: visit.chrome,
    };
    Ok(page.render_page()?.into_response())
}
