//! The contract suite: every database behind the ports must pass all of it.
//!
//! A suite is a list of functions over `&dyn Store`; the macro makes one test of each for each database.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "suite/fixture.rs"]
mod fixture;
#[path = "suite/intake.rs"]
mod intake;
#[path = "suite/log.rs"]
mod log;
#[path = "suite/operators.rs"]
mod operators;
#[path = "suite/people.rs"]
mod people;
#[path = "suite/punches.rs"]
mod punches;
#[path = "suite/roles.rs"]
mod roles;
#[path = "suite/standing.rs"]
mod standing;

use mngntime_store::sqlite::SqliteStore;

macro_rules! suite {
    ($($module:ident::$name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    let directory = tempfile::tempdir().unwrap();
                    let store = super::SqliteStore::open(directory.path()).unwrap();
                    super::$module::$name(&store).await;
                }
            )*
        }
    };
}

suite![
    intake::an_event_is_stored_once,
    intake::what_the_receipt_takes_off_a_pc_no_longer_waits_there,
    intake::other_bytes_under_a_number_are_refused_and_kept_aside,
    intake::the_order_of_arrival_does_not_matter,
    intake::hindrances_follow_contract_terminal_and_makeup,
    intake::only_logons_and_logoffs_are_judged,
    intake::a_renamed_account_keeps_its_identity_and_its_old_name,
    intake::enrolment_answers_by_contract_key_and_terminal,
    intake::revoked_keys_open_nothing_and_added_ones_do,
    intake::a_flooded_quarantine_counts_what_it_cannot_keep,
    intake::the_same_pc_may_belong_to_two_contracts,
    log::an_event_has_one_place_for_ever,
    log::a_head_tells_everything_and_continues_the_last,
    log::a_long_month_is_signed_in_pieces_to_the_same_root,
    log::of_two_who_sign_at_once_one_is_taken,
    log::a_month_is_closed_before_the_next_one_is_signed,
    log::every_entry_of_a_contract_s_audit_log_is_a_leaf_and_no_other_is,
    log::entries_say_which_key_and_which_link_it_was,
    log::each_contract_has_its_own_trees,
    people::a_link_makes_waiting_punches_good_and_its_end_takes_that_back,
    people::a_link_counts_on_its_dates_only,
    people::employment_counts_on_its_dates_only,
    people::linking_leaves_hindered_punches_hindered,
    people::links_of_an_account_never_overlap,
    people::a_bulk_link_is_all_or_nothing,
    people::new_employees_are_made_once_per_code,
    people::the_preview_counts_what_the_link_changes,
    people::accounts_with_waiting_punches_are_listed,
    people::history_tells_every_change_of_mind,
    punches::pages_join_without_gap_or_repeat,
    punches::pages_of_a_person_with_two_accounts_join_and_what_waits_is_counted_as_it_changes,
    punches::filters_narrow_the_list,
    punches::the_summary_counts,
    punches::a_logon_without_a_person_says_when_somebody_came_in_whatever_order_that_is_told,
    punches::presence_is_a_matter_of_one_stay,
    punches::two_contracts_never_see_each_others_rows,
    punches::two_contracts_never_change_each_others_rows,
    standing::holes_are_named_until_they_are_filled_or_declared,
    standing::a_declaration_reaches_across_holes_and_no_further,
    standing::numbers_of_an_earlier_enrolment_are_no_loss,
    standing::one_of_two_lives_does_not_answer_for_the_other,
    standing::of_what_one_life_gave_up_every_range_has_its_turn,
    standing::a_receipt_names_a_bounded_number_of_ranges_the_oldest_first,
    standing::a_roll_back_is_counted_and_stands_until_it_is_looked_into,
    standing::two_runs_heard_in_turns_are_two_pcs,
    standing::restarts_are_no_copies,
    standing::a_restored_snapshot_of_a_running_system_is_a_roll_back,
    standing::an_old_message_that_comes_late_proves_nothing,
    standing::terminals_are_counted_by_standing,
    roles::departments_make_a_tree_without_rings,
    roles::a_department_is_found_by_its_name_and_shown_by_its_new_one,
    roles::an_approver_sees_the_department_and_what_is_below_it,
    roles::an_employee_sees_their_own_record_only,
    roles::what_belongs_to_nobody_is_seen_by_the_whole_contract_only,
    roles::a_scope_never_reaches_into_another_contract,
    roles::who_signs_in_is_changed_within_their_contract,
    roles::a_role_comes_with_what_it_needs,
    roles::disabling_ends_sessions_and_the_set_up_link,
    roles::a_set_up_link_works_once_and_for_its_time,
    operators::codes_and_logins_are_unique,
    operators::changes_stand_in_the_audit_log,
    operators::sessions_end,
    operators::terminals_are_listed_by_name_in_pages,
    operators::the_probe_reads_and_writes,
];
