//! The contract suite: every database behind the ports must pass all of it.
//!
//! A suite is a list of functions over `&dyn Store`; the macro makes one test of each for each database.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "suite/ceremonies.rs"]
mod ceremonies;
#[path = "suite/clocks.rs"]
mod clocks;
#[path = "suite/cluster.rs"]
mod cluster;
#[path = "suite/days.rs"]
mod days;
#[path = "suite/directory.rs"]
mod directory;
#[path = "suite/fixture.rs"]
mod fixture;
#[path = "suite/fleet.rs"]
mod fleet;
#[path = "suite/imports.rs"]
mod imports;
#[path = "suite/intake.rs"]
mod intake;
#[path = "suite/links_by_sid.rs"]
mod links_by_sid;
#[path = "suite/log.rs"]
mod log;
#[path = "suite/nights.rs"]
mod nights;
#[path = "suite/operators.rs"]
mod operators;
#[path = "suite/people.rs"]
mod people;
#[path = "suite/punches.rs"]
mod punches;
#[path = "suite/questions.rs"]
mod questions;
#[path = "suite/retention.rs"]
mod retention;
#[path = "suite/roles.rs"]
mod roles;
#[path = "suite/sign_in.rs"]
mod sign_in;
#[path = "suite/standing.rs"]
mod standing;
#[path = "suite/summaries.rs"]
mod summaries;
#[path = "suite/upkeep.rs"]
mod upkeep;

use std::collections::BTreeSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(debug_assertions)]
use std::path::Path;
use std::pin::Pin;
use std::sync::Mutex;

use mngntime_store::sqlite::SqliteStore;
use mngntime_store::{Store, postgres};

use cluster::Cluster;

/// What a store must do, as a function of the store.
type Scenario = for<'a> fn(&'a dyn Store) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

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

        const SCENARIOS: &[(&str, Scenario)] =
            &[$((stringify!($name), |store| Box::pin($module::$name(store)))),*];
    };
}

/// Scenarios that run at the same time.
const AT_ONCE: usize = 2;

/// All of them in one test: a cluster takes longer to make than most scenarios take. Each gets a database of its own,
/// and what fails is named.
#[test]
fn the_whole_suite_passes_on_postgresql() {
    let cluster = Cluster::start(&[]);
    cluster.create("empty", None);
    drop(postgres::open(&cluster.url("empty")).unwrap());
    assert_eq!(columns_on_postgresql(&cluster), columns_on_sqlite(), "a migration is missing on one side");
    let (left, failed) = (Mutex::new(SCENARIOS.iter()), Mutex::new(Vec::new()));
    let work = || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        loop {
            let Some((name, scenario)) = left.lock().unwrap().next() else { break };
            cluster.create(name, Some("empty"));
            let store = postgres::open(&cluster.url(name)).unwrap();
            let done = catch_unwind(AssertUnwindSafe(|| runtime.block_on(scenario(&store))));
            if done.is_err() {
                failed.lock().unwrap().push(*name);
            }
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), SCENARIOS.len());
    #[cfg(debug_assertions)]
    {
        let left = never_run(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite").as_path());
        assert!(left.is_empty(), "statements that no scenario has run on PostgreSQL: {left:#?}");
    }
}

/// `table column type nullable` of every column, sorted; types in SQLite's words.
fn columns_on_postgresql(cluster: &Cluster) -> BTreeSet<String> {
    let sql = "SELECT table_name || ' ' || column_name || ' ' || CASE data_type WHEN 'bigint' THEN 'INTEGER'
            WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' ELSE data_type END || ' ' || (is_nullable = 'YES')::int
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'refinery_schema_history'
            AND table_name NOT IN (SELECT relname FROM pg_class WHERE relispartition)";
    cluster.ask("empty", sql).lines().map(str::to_owned).collect()
}

fn columns_on_sqlite() -> BTreeSet<String> {
    let directory = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(directory.path()).unwrap());
    let database = rusqlite::Connection::open(directory.path().join("mngntime.db")).unwrap();
    let sql = "SELECT t.name || ' ' || c.name || ' ' || c.type || ' ' || (c.\"notnull\" = 0 AND c.pk = 0)
        FROM sqlite_schema t JOIN pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> 'refinery_schema_history'";
    let mut columns = database.prepare(sql).unwrap();
    columns.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The adapter's lines that run a statement (counted in builds for development only), and have not yet run one on PostgreSQL. What only SQLite has (opening,
/// checkpoints, copies of its file) is run otherwise.
#[cfg(debug_assertions)]
fn never_run(directory: &Path) -> Vec<String> {
    let run: BTreeSet<(String, usize)> = mngntime_store::reached::places()
        .into_iter()
        .map(|(file, line)| (file.rsplit('/').next().unwrap().to_owned(), line as usize))
        .collect();
    let mut left = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        // Plans and the filling of stores for measurements are SQLite's alone.
        if !name.ends_with(".rs") || ["plans.rs", "rows.rs", "filling.rs"].contains(&name.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let own = text.lines().take_while(|line| *line != "#[cfg(test)]").enumerate();
        let runs = own.filter(|(_, line)| {
            ["rows::all(", "rows::one(", "rows::run(", "rows::each(", "rows::run_many("]
                .iter()
                .any(|run| line.contains(run))
        });
        left.extend(
            runs.filter(|(n, _)| !run.contains(&(name.clone(), n + 1)))
                .map(|(n, line)| format!("{name}:{} {}", n + 1, line.trim())),
        );
    }
    left.sort();
    left
}

suite![
    days::a_record_holds_the_events_around_the_time_from_the_logon_that_goes_on,
    days::what_was_told_much_later_is_found_as_the_punch_that_it_is,
    days::without_use_in_the_time_the_nearest_terminals_speak,
    days::void_links_are_no_part_of_a_person,
    days::people_and_events_of_another_contract_are_not_found,
    directory::a_directory_tells_who_is_behind_an_account,
    directory::digits_behind_a_name_leave_a_guess,
    directory::a_pair_of_which_somebody_said_that_it_was_wrong_is_never_sure_again,
    directory::a_reading_is_found_in_whichever_width_it_is_kept,
    directory::a_name_is_found_in_whichever_width_it_is_kept,
    directory::what_a_directory_says_is_one_person_s,
    directory::a_file_says_what_a_directory_says,
    links_by_sid::an_account_whose_sid_was_entered_is_linked_by_itself,
    links_by_sid::a_sid_of_another_contract_is_nobody_s,
    links_by_sid::what_somebody_took_back_is_not_linked_by_itself_again,
    links_by_sid::whoever_turned_links_by_sid_on_is_told_until_it_is_off,
    fleet::the_board_counts_what_the_rules_say,
    fleet::terminals_of_one_name_are_counted_and_listed_while_both_are_in_use,
    fleet::the_list_is_walked_without_gap_or_repeat_in_every_order,
    fleet::the_text_finds_name_os_version_and_id_and_nothing_of_others,
    fleet::waiting_that_rises_three_contacts_in_a_row_is_growing,
    fleet::contacts_are_kept_by_day_for_a_quarter,
    fleet::versions_and_enrolments_make_a_history,
    fleet::several_terminals_are_changed_together_or_not_at_all,
    fleet::a_pc_like_a_blocked_one_is_enrolled_as_blocked,
    fleet::who_blocked_a_terminal_and_why_is_kept_and_a_retirement_takes_no_block_away,
    fleet::a_note_stands_with_its_author_until_it_is_taken_away,
    fleet::a_key_opens_until_its_time_and_for_as_many_pcs_as_it_says,
    fleet::a_rotated_key_overlaps_with_the_new_one,
    fleet::a_person_may_let_a_terminal_enrol_again_without_a_key_once,
    imports::a_line_means_an_account_by_its_key_its_name_or_its_upn,
    imports::lines_of_a_file_of_links_do_not_contradict_each_other,
    imports::what_a_file_of_employees_lacks_stays,
    imports::a_line_takes_over_from_whoever_has_left_and_from_nobody_else,
    imports::a_line_takes_over_from_whoever_comes_later_and_gives_back_what_is_theirs,
    imports::who_is_added_is_shown_as_stored_and_beside_a_code_in_other_case,
    imports::what_a_file_would_change_in_punches_is_what_it_changes,
    imports::what_lacks_a_department_is_counted_apart,
    imports::what_links_would_change_is_what_they_change,
    imports::a_long_file_of_links_is_taken_in_piece_by_piece_and_finished_by_taking_it_again,
    intake::an_event_is_stored_once,
    intake::of_a_terminal_that_is_not_there_nothing_is_stored,
    intake::what_the_receipt_takes_off_a_pc_no_longer_waits_there,
    intake::other_bytes_under_a_number_are_refused_and_kept_aside,
    intake::other_bytes_of_what_is_no_punch_are_refused_as_well,
    intake::the_order_of_arrival_does_not_matter,
    intake::hindrances_follow_contract_terminal_and_makeup,
    intake::a_punch_that_comes_again_from_the_pc_as_it_was_enrolled_is_not_hindered,
    intake::only_logons_and_logoffs_are_judged,
    intake::a_renamed_account_keeps_its_identity_and_its_old_name,
    intake::that_an_account_was_seen_again_is_noted_once_an_hour,
    intake::enrolment_answers_by_contract_key_and_terminal,
    intake::revoked_keys_open_nothing_and_added_ones_do,
    intake::a_flooded_quarantine_counts_what_it_cannot_keep,
    intake::a_flood_makes_room_for_others_out_of_its_own,
    intake::the_same_pc_may_belong_to_two_contracts,
    log::an_event_has_one_place_for_ever,
    log::a_head_tells_everything_and_continues_the_last,
    log::a_log_has_no_gap_until_something_has_a_receipt_and_no_place,
    log::events_with_odd_json_hide_neither_themselves_nor_others,
    log::an_event_that_is_stored_under_another_time_than_it_says_is_a_gap,
    log::a_long_month_is_signed_in_pieces_to_the_same_root,
    log::months_without_a_head_are_told_of_one_contract_or_of_all,
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
    people::other_dates_of_employment_are_counted_before_they_are_saved,
    people::a_bulk_link_is_all_or_nothing,
    people::new_employees_are_made_once_per_code,
    people::the_preview_counts_what_the_link_changes,
    people::suggestions_have_a_reason_and_never_choose_between_two,
    people::nobody_is_suggested_for_a_date_on_which_a_link_stands,
    people::accounts_with_waiting_punches_are_listed,
    people::history_tells_every_change_of_mind,
    people::a_hand_over_moves_punches_and_the_punch_tells_from_whom_to_whom,
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
    questions::accounts_are_listed_by_what_they_lack,
    questions::employees_are_listed_and_suggested,
    questions::what_the_punches_of_a_time_come_to_is_counted_for_each,
    questions::terminals_are_told_from_others_of_their_name,
    questions::punches_are_listed_by_every_filter,
    questions::the_figures_of_a_day_follow_whatever_changes,
    questions::searches_and_columns_are_kept_for_their_person,
    questions::files_are_checked_and_taken_in,
    questions::what_an_evidence_pack_needs_is_found,
    questions::a_sender_is_known_by_contract_and_terminal,
    retention::a_month_goes_on_its_day_where_that_is_switched_on_and_no_earlier,
    retention::a_retired_month_is_emptied_in_pieces_from_any_point_on,
    retention::later_months_go_on_and_entries_of_a_retired_month_are_still_proven,
    retention::what_was_retired_never_comes_back,
    retention::a_hold_keeps_what_it_is_about_until_it_is_released,
    retention::what_came_late_or_from_a_wrong_clock_is_kept_as_long_as_its_later_day,
    roles::departments_make_a_tree_without_rings,
    roles::a_department_is_found_by_its_name_and_shown_by_its_new_one,
    roles::a_closed_department_keeps_its_people_and_takes_nobody_in,
    roles::departments_of_a_file_are_made_on_purpose_only,
    roles::an_approver_sees_the_department_and_what_is_below_it,
    roles::an_employee_sees_their_own_record_only,
    roles::what_belongs_to_nobody_is_seen_by_the_whole_contract_only,
    roles::a_scope_never_reaches_into_another_contract,
    roles::who_signs_in_is_changed_within_their_contract,
    roles::a_role_comes_with_what_it_needs,
    roles::disabling_ends_sessions_and_the_set_up_link,
    roles::the_last_administrator_and_the_last_operator_stay,
    roles::of_two_who_disable_each_other_one_stays,
    roles::a_contract_gets_its_first_administrator_once,
    roles::a_set_up_link_works_once_and_for_its_time,
    roles::employees_are_let_in_once_each_and_all_or_none,
    clocks::what_a_clock_years_off_has_stamped_stands_at_the_servers_time,
    clocks::days_and_packs_find_what_a_clock_years_off_has_stamped,
    clocks::what_a_clock_years_off_has_stamped_goes_with_its_month,
    clocks::what_a_clock_of_2055_has_stamped_goes_with_its_month,
    nights::the_last_night_of_a_link_is_of_its_last_date,
    nights::a_logon_that_comes_after_its_logoff_puts_its_date_right,
    nights::previews_and_later_judgements_go_by_the_same_date,
    nights::a_contracts_own_boundary_says_until_when_a_night_lasts,
    nights::another_boundary_moves_the_dates_that_are_kept_and_judges_by_them,
    nights::a_boundary_that_changes_again_before_all_is_looked_at_leaves_nothing_out,
    nights::dates_are_counted_with_the_nights_that_end_them,
    nights::who_is_there_after_midnight_only_is_there_on_one_date,
    nights::the_night_of_a_hand_over_is_of_who_began_it,
    nights::the_end_of_the_last_night_counts_with_its_error_on_its_date,
    operators::codes_and_logins_are_unique,
    operators::nobody_signs_in_until_the_first_operator_has_a_password,
    operators::people_who_sign_in_are_listed_in_pages_of_their_contract,
    operators::contracts_are_listed_in_pages,
    operators::status_and_option_of_a_contract_are_changed_apart,
    operators::changes_stand_in_the_audit_log,
    operators::sessions_end,
    operators::terminals_are_listed_by_name_in_pages,
    operators::the_probe_reads_and_writes,
    sign_in::a_one_time_code_counts_once_and_never_backwards,
    sign_in::a_recovery_code_counts_once_for_its_owner_and_not_after_new_ones,
    sign_in::passkeys_belong_to_one_person_and_a_reset_takes_everything,
    sign_in::the_last_way_in_of_the_last_administrator_stays,
    sign_in::of_two_ways_in_that_are_removed_at_once_one_stays,
    sign_in::of_two_second_factors_that_are_removed_at_once_one_stays,
    sign_in::a_subject_is_one_person_and_a_token_ends,
    sign_in::all_tokens_of_somebody_end_together_and_with_the_way_in,
    sign_in::a_login_waits_after_ten_failures_whether_or_not_it_exists,
    sign_in::sessions_are_listed_and_ended_by_their_owner_alone,
    sign_in::what_has_idled_out_does_not_begin_again_with_another_setting,
    sign_in::a_contract_says_which_roles_need_a_second_factor,
    summaries::a_date_has_its_first_logon_and_its_last_logoff_and_ends_at_midnight,
    summaries::a_punch_is_of_whom_its_account_was_on_its_date,
    summaries::an_estimate_is_never_taken_for_a_measured_time,
    summaries::errors_are_told_by_their_result,
    summaries::a_first_logon_that_nobody_made_is_told,
    summaries::nobody_is_summed_up_outside_of_the_scope,
    summaries::summaries_come_in_pages_of_people_and_a_month_at_most,
    ceremonies::a_ceremony_is_taken_once_by_its_kind_and_in_its_time,
    ceremonies::of_too_many_ceremonies_the_oldest_of_their_kind_go,
    ceremonies::the_key_that_signs_is_remembered_once,
    upkeep::a_contract_keeps_what_it_chose_and_every_change_is_noted_once,
    upkeep::remarks_are_added_and_withdrawn_and_never_gone,
    upkeep::a_remark_is_its_employees_and_seen_by_whom_it_concerns,
    upkeep::open_remarks_are_listed_by_reach_until_somebody_has_read_them,
    upkeep::remarks_are_counted_by_the_month_that_they_are_about,
    upkeep::a_look_at_a_record_is_noted_once_an_hour,
    upkeep::an_employee_sees_who_looked_at_them_and_nobody_else,
    upkeep::what_a_program_does_every_minute_is_noted_once_an_hour,
    upkeep::the_audit_log_is_found_by_person_action_object_and_time_in_pages,
    upkeep::an_entry_knows_its_leaf_and_whether_a_head_covers_it,
    upkeep::figures_of_a_contract_are_its_own,
    upkeep::months_are_made_as_often_as_asked_and_go_when_nothing_is_in_them,
    upkeep::the_quarantine_is_listed_without_its_bytes,
    upkeep::who_was_refused_with_a_key_of_the_contract_is_told_to_its_people_once,
];
