//! A person's days.
