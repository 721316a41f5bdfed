//! What events say about days. Pure rules with a version: the server judges by them, and whoever checks an
//! evidence pack judges again and must come to the same.

pub mod arrival;
pub mod completeness;
pub mod person_day;
