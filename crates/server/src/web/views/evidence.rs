//! The template of evidence packs.

use askama::Template;
use axum::response::Html;

use super::super::chrome::{Chrome, Place};
use super::super::errors::WebError;
use super::super::evidence::{Draft, Shown};
use crate::access::Action;

page!(Evidence);

/// 証拠ファイル
#[derive(Debug, Clone, Template)]
#[template(path = "evidence.html")]
pub struct Evidence {
    /// Surroundings.
    pub c: Chrome,
    /// Code of the employee.
    pub code: String,
    /// Name of the employee.
    pub name: String,
    /// Address of this page.
    pub base: String,
    /// Address and name of the page it belongs to.
    pub back: (String, String),
    /// How far the file is.
    pub shown: Shown,
    /// What was typed.
    pub draft: Draft,
    /// How long it may be, in words.
    pub limit: String,
}
