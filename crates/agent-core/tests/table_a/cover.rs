//! The whole of table A and what shows each row.
//!
//! Checked: every row from 1 to 80 is there once, every test that is named exists, every row that is said to
//! be shown here has a test `row_NN_…` and no such test is without its row. The table is printed with its
//! counts and kept as `docs/windows/table-a.md`; `MNGNTIME_UPDATE=1` writes that anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use Cover::{Elsewhere, Here, NotCovered};

const ROWS: u32 = 80;

/// What shows a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    /// A script of this suite, with the tests named beside it.
    Here,
    /// The tests named.
    Elsewhere,
    /// Nothing; the note says why.
    NotCovered,
}

struct Row {
    number: u32,
    title: &'static str,
    cover: Cover,
    /// File, and name of the test function.
    tests: &'static [(&'static str, &'static str)],
    /// What only a real PC can show beyond that.
    real_pc: &'static str,
    note: &'static str,
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { number: 1, title: "Normal logon, online", cover: Here, tests: &[("e2e/tests/wine.rs", "the_service_starts_records_by_notice_and_by_comparison_sends_and_resends"), ], real_pc: "", note: "" },
    Row { number: 2, title: "Normal sign-out", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 3, title: "Full shutdown, online", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 4, title: "Fast Startup shutdown while offline", cover: Here, tests: &[], real_pc: "the order of Windows' notices and the log's record of the boot type", note: "" },
    Row { number: 5, title: "Fast Startup, online, two seconds", cover: Here, tests: &[], real_pc: "whether two seconds are enough", note: "" },
    Row { number: 6, title: "Restart", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 7, title: "Battery dies", cover: Here, tests: &[("crates/agent/src/journal/tests.rs", "a_power_cut_at_any_byte_of_a_write_loses_only_that_write"), ("e2e/tests/agent.rs", "killed_at_each_sync_and_each_packet_every_session_has_its_two_rows"), ], real_pc: "", note: "" },
    Row { number: 8, title: "Critical-battery hibernate", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 9, title: "System crash (bug check)", cover: Here, tests: &[], real_pc: "", note: "The reason stands in Windows' log only: back-fill (row_9_a_bug_check_gives_its_reason)." },
    Row { number: 10, title: "Power button held", cover: Here, tests: &[], real_pc: "as for a battery that dies", note: "" },
    Row { number: 11, title: "Sleep at lunch, same user unlocks", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 12, title: "Woken at 22:00 for an update", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 13, title: "Modern Standby, lid closed", cover: Here, tests: &[], real_pc: "which display notices come, and what the counters show meanwhile", note: "" },
    Row { number: 14, title: "Hibernated over the weekend", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 15, title: "Locked and unlocked 40 times a day", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 16, title: "Two users, fast switching", cover: Here, tests: &[], real_pc: "", note: "All 24 orders of the notices." },
    Row { number: 17, title: "Switched back with the session id used again", cover: Here, tests: &[], real_pc: "", note: "All orders of the notices." },
    Row { number: 18, title: "Remote desktop to the own PC", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 19, title: "Remote desktop disconnected, taken up next morning", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 20, title: "Remote desktop takes over the console", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 21, title: "RemoteApp closed, session left for days", cover: Here, tests: &[], real_pc: "", note: "Whether a disconnect ends work is the attendance side's rule." },
    Row { number: 22, title: "Session host with 30 users", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 23, title: "Disk wiped at every reboot (VDI)", cover: Here, tests: &[], real_pc: "", note: "The PC enrols anew and is a terminal of its own each time." },
    Row { number: 24, title: "Cloned image", cover: Elsewhere, tests: &[("crates/store/tests/suite/intake.rs", "other_bytes_under_a_number_are_refused_and_kept_aside"), ("crates/server/tests/ingest.rs", "a_changed_makeup_asks_for_enrolment_and_enrolment_puts_it_right"), ("crates/store/tests/suite/standing.rs", "two_runs_heard_in_turns_are_two_pcs"), ("e2e/tests/memory.rs", "two_pcs_with_one_identity_lose_nothing_and_are_shown_as_that"), ], real_pc: "", note: "" },
    Row { number: 25, title: "Logon before the service is ready", cover: Here, tests: &[("e2e/tests/agent.rs", "a_user_who_logged_on_before_the_start_is_found"), ], real_pc: "", note: "" },
    Row { number: 26, title: "Service stopped, users came and went", cover: Elsewhere, tests: &[("crates/agent-core/src/agent/back_fill/tests.rs", "row_26_what_happened_while_the_service_was_stopped_is_back_filled"), ("crates/agent-core/src/agent/back_fill/tests.rs", "row_26_read_again_after_a_crash_at_any_record_doubles_nothing"), ], real_pc: "", note: "" },
    Row { number: 27, title: "The same, and the log has wrapped or was cleared", cover: Elsewhere, tests: &[("crates/agent-core/src/agent/back_fill/tests.rs", "row_27_a_wrapped_or_cleared_log_is_a_declared_gap"), ], real_pc: "", note: "" },
    Row { number: 28, title: "Agent crashes while the user works", cover: Here, tests: &[("e2e/tests/agent.rs", "killed_between_any_two_steps_nothing_is_lost_and_nothing_doubled"), ], real_pc: "", note: "" },
    Row { number: 29, title: "Killed between sync and send", cover: Here, tests: &[("e2e/tests/agent.rs", "killed_at_each_sync_and_each_packet_every_session_has_its_two_rows"), ], real_pc: "", note: "" },
    Row { number: 30, title: "Killed after the server's commit", cover: Here, tests: &[("e2e/tests/agent.rs", "killed_at_each_sync_and_each_packet_every_session_has_its_two_rows"), ("crates/server/tests/ingest.rs", "the_same_event_sent_again_is_one_row_for_ever"), ], real_pc: "", note: "" },
    Row { number: 31, title: "Automatic sign-on after an update (ARSO)", cover: Here, tests: &[("e2e/tests/wine.rs", "a_logon_without_a_person_carries_the_time_at_which_somebody_came"), ("crates/store/tests/suite/punches.rs", "a_logon_without_a_person_says_when_somebody_came_in_whatever_order_that_is_told"), ("crates/server/src/web/tests/pages.rs", "a_logon_without_a_person_is_marked_and_says_what_counts_instead"), ], real_pc: "that Windows reports no input (LastInputTime 0) in such a session, and when the lock comes", note: "" },
    Row { number: 32, title: "Shared PC signed on for yesterday's user", cover: Here, tests: &[("crates/store/tests/suite/punches.rs", "presence_is_a_matter_of_one_stay"), ], real_pc: "", note: "" },
    Row { number: 33, title: "Entra user, long UPN", cover: Here, tests: &[], real_pc: "the names Windows gives", note: "" },
    Row { number: 34, title: "User renamed", cover: Here, tests: &[("crates/store/tests/suite/intake.rs", "a_renamed_account_keeps_its_identity_and_its_old_name"), ], real_pc: "", note: "" },
    Row { number: 35, title: "Unregistered user (res=7)", cover: Here, tests: &[("crates/store/tests/suite/people.rs", "a_link_makes_waiting_punches_good_and_its_end_takes_that_back"), ], real_pc: "", note: "" },
    Row { number: 36, title: "Wrong contract code (res=5)", cover: Here, tests: &[("e2e/tests/agent.rs", "wrong_contract_and_wrong_key_are_named_and_cured_without_a_restart"), ], real_pc: "", note: "" },
    Row { number: 37, title: "Window manager, font driver, service and batch logons", cover: Elsewhere, tests: &[("crates/agent/src/platform/windows/sessions.rs", "services_window_manager_and_empty_sessions_are_left_out"), ("crates/agent/src/platform/windows/sessions.rs", "network_batch_and_service_logons_are_nobodys_stay"), ("crates/agent/src/os_log/query.rs", "services_batches_and_networks_are_not_even_fetched"), ("crates/agent/src/pseudo_accounts.rs", "services_and_the_window_manager_are_no_people"), ], real_pc: "", note: "" },
    Row { number: 38, title: "LAN cable out", cover: Elsewhere, tests: &[("crates/agent/src/platform/windows/network.rs", "three_situations_are_told_apart"), ("crates/model/src/failure.rs", "texts_are_the_seeds"), ], real_pc: "", note: "" },
    Row { number: 39, title: "LAN up, Internet blocked", cover: Elsewhere, tests: &[("crates/agent/src/platform/windows/network.rs", "three_situations_are_told_apart"), ("crates/model/src/failure.rs", "texts_are_the_seeds"), ], real_pc: "", note: "" },
    Row { number: 40, title: "Server answers 503 for three hours", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 41, title: "Captive portal: 200 with a page", cover: Elsewhere, tests: &[("crates/agent/src/transport/exchange/tests.rs", "a_hotel_that_answers_200_with_a_page_is_named_with_the_pages_beginning"), ("e2e/tests/agent.rs", "no_impostor_makes_the_agent_forget_an_event"), ], real_pc: "", note: "" },
    Row { number: 42, title: "Server lies", cover: Elsewhere, tests: &[("e2e/tests/agent.rs", "no_impostor_makes_the_agent_forget_an_event"), ("crates/agent/src/transport/exchange/tests.rs", "a_receipt_that_leaves_events_out_or_names_other_bytes_does_not_count"), ("crates/agent/src/transport/exchange/tests.rs", "somebody_elses_signature_does_not_count"), ], real_pc: "", note: "" },
    Row { number: 43, title: "Answers that are cut, endless or slow", cover: Elsewhere, tests: &[("e2e/tests/agent.rs", "no_impostor_makes_the_agent_forget_an_event"), ("e2e/tests/agent.rs", "an_answer_without_an_end_is_given_up_and_the_event_is_kept"), ], real_pc: "", note: "No compression is asked for, so there is nothing to inflate." },
    Row { number: 44, title: "TLS opened by a proxy with a known root", cover: Elsewhere, tests: &[("e2e/tests/vm.rs", "a_real_logon_becomes_a_row_and_survives_everything_in_between"), ], real_pc: "the same through Windows' certificate store", note: "By an authority of our own on Linux." },
    Row { number: 45, title: "TLS with an unknown root, an expired certificate, a wrong clock", cover: Elsewhere, tests: &[("e2e/tests/proxy.rs", "a_certificate_says_what_is_wrong_with_it_and_what_to_do"), ], real_pc: "", note: "" },
    Row { number: 46, title: "PAC, and PAC that is dead", cover: Elsewhere, tests: &[("crates/agent/src/platform/windows/proxy/tests.rs", "past_a_dead_proxy_of_a_script_the_direct_way_is_tried_and_past_a_dead_script_as_well"), ], real_pc: "", note: "" },
    Row { number: 47, title: "Proxy demands NTLM", cover: Elsewhere, tests: &[("e2e/tests/proxy.rs", "a_proxy_that_wants_a_login_is_named_with_407_and_its_schemes"), ("e2e/tests/wine_proxy.rs", "winhttp_takes_over_from_a_proxy_that_offers_negotiate_and_brings_the_receipt"), ], real_pc: "a real NTLM exchange", note: "" },
    Row { number: 48, title: "Clock set back one hour", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 49, title: "Clock set forward, punch, set back", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 50, title: "Clock jumps 55 days", cover: Here, tests: &[("crates/server/tests/ingest.rs", "a_clock_a_year_off_or_absurd_is_kept_raw_with_its_offset"), ], real_pc: "", note: "" },
    Row { number: 51, title: "Clock battery dead: starts in 2009", cover: Here, tests: &[("crates/server/tests/days.rs", "who_signs_in_by_a_dead_clock_was_there_when_the_server_heard_of_it"), ], real_pc: "", note: "" },
    Row { number: 52, title: "Time zone changes", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 53, title: "Midnight passes", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 54, title: "Leap second", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 55, title: "Disk full", cover: Here, tests: &[("crates/agent/src/journal/tests.rs", "a_full_disk_takes_the_reserve"), ("e2e/tests/agent.rs", "a_full_disk_is_told_and_loses_nothing"), ], real_pc: "", note: "" },
    Row { number: 56, title: "Disk read-only or locked by another program", cover: Elsewhere, tests: &[("e2e/tests/agent.rs", "a_read_only_state_directory_is_named_and_nothing_is_lost_when_it_is_mended"), ("crates/agent/src/journal/tests.rs", "a_segment_that_another_program_locks_is_an_error_and_the_event_given_again_counts_once"), ], real_pc: "", note: "There is no second place to write to: records wait in memory until the first takes them." },
    Row { number: 57, title: "Sync fails once", cover: Elsewhere, tests: &[("crates/agent/src/journal/tests.rs", "whatever_operation_fails_the_same_event_can_be_given_again"), ], real_pc: "", note: "" },
    Row { number: 58, title: "Torn write", cover: Elsewhere, tests: &[("crates/agent/src/journal/tests.rs", "a_power_cut_at_any_byte_of_a_write_loses_only_that_write"), ("crates/agent/src/journal/frame.rs", "every_cut_costs_only_the_frame_that_was_being_written"), ], real_pc: "", note: "" },
    Row { number: 59, title: "Bit flip in the middle", cover: Elsewhere, tests: &[("crates/agent/src/journal/tests.rs", "every_flipped_bit_is_reported_and_costs_at_most_one_event"), ], real_pc: "", note: "" },
    Row { number: 60, title: "Segment deleted", cover: Elsewhere, tests: &[("crates/agent/src/journal/tests.rs", "a_segment_that_somebody_deleted_is_a_loss_named_by_its_numbers"), ("crates/agent-core/src/agent/tests.rs", "unreadable_records_are_declared"), ], real_pc: "", note: "" },
    Row { number: 61, title: "Spool rolled back from a backup", cover: Here, tests: &[("crates/agent-core/src/agent/tests/healing.rs", "refused_events_are_recorded_again_as_they_were_and_then_let_go"), ("crates/agent/src/journal/tests/memory.rs", "a_power_cut_at_any_byte_of_a_new_number_leaves_the_fact_under_one_of_the_two"), ("crates/server/tests/ingest.rs", "other_bytes_under_a_taken_number_change_nothing_and_mark_the_terminal"), ("e2e/tests/memory.rs", "a_pc_whose_image_is_rolled_back_loses_and_doubles_nothing_and_is_shown_as_that"), ("e2e/tests/memory.rs", "two_pcs_with_one_identity_lose_nothing_and_are_shown_as_that"), ], real_pc: "", note: "" },
    Row { number: 62, title: "Spool file edited", cover: Elsewhere, tests: &[("crates/agent/src/journal/tests.rs", "what_changed_on_disk_since_it_was_written_is_never_sent"), ("crates/agent/src/journal/tests.rs", "every_flipped_bit_is_reported_and_costs_at_most_one_event"), ], real_pc: "", note: "" },
    Row { number: 63, title: "Offline for 45 days, 3,000 events", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 64, title: "Server restored from a day-old backup", cover: Here, tests: &[("crates/agent-core/src/agent/tests/healing.rs", "a_hole_below_the_head_is_filled_and_one_that_nobody_can_fill_is_declared_once"), ("crates/store/tests/suite/standing.rs", "holes_are_named_until_they_are_filled_or_declared"), ("e2e/tests/memory.rs", "a_server_restored_from_a_copy_gets_everything_back"), ], real_pc: "", note: "" },
    Row { number: 65, title: "Server commits, connection breaks each time", cover: Here, tests: &[("crates/server/tests/ingest.rs", "a_client_that_hangs_up_loses_nothing"), ], real_pc: "", note: "" },
    Row { number: 66, title: "Two processes send the same batch", cover: Elsewhere, tests: &[("crates/server/tests/ingest.rs", "the_same_event_sent_again_is_one_row_for_ever"), ("crates/store/tests/suite/intake.rs", "an_event_is_stored_once"), ], real_pc: "", note: "" },
    Row { number: 67, title: "Nine o'clock: 5,000 PCs at once", cover: Elsewhere, tests: &[("crates/server/tests/enrollment.rs", "the_crowd_decides_how_far_logons_are_spread"), ], real_pc: "", note: "Load: docs/performance.md; 5,000 PCs were not played." },
    Row { number: 68, title: "New version installed with users logged on", cover: Elsewhere, tests: &[("e2e/tests/msi.rs", "installed_upgraded_removed_and_installed_again_nothing_is_lost_and_nothing_doubled"), ], real_pc: "the same by Windows Installer itself", note: "The core's part is row 28." },
    Row { number: 69, title: "Bad update", cover: NotCovered, tests: &[], real_pc: "", note: "There is no update that installs itself, so nothing that would have to be taken back." },
    Row { number: 70, title: "Uninstall", cover: Elsewhere, tests: &[("e2e/tests/msi.rs", "installed_upgraded_removed_and_installed_again_nothing_is_lost_and_nothing_doubled"), ], real_pc: "", note: "An uninstall looks like a stop of the service: Windows Installer tells the service nothing else, and the package has no custom action that could. So there is no event of its own; an administrator retires the terminal on the server." },
    Row { number: 71, title: "Forced logoff", cover: Here, tests: &[], real_pc: "", note: "The reason stands in Windows' log only." },
    Row { number: 72, title: "Server down, then the PC is stolen", cover: Here, tests: &[("crates/store/tests/suite/punches.rs", "the_summary_counts"), ], real_pc: "", note: "" },
    Row { number: 73, title: "Linux: suspend with a delay lock", cover: Elsewhere, tests: &[("crates/agent-core/src/agent/tests.rs", "sleep_and_shutdown_wait_for_the_record"), ], real_pc: "", note: "The rule. logind's own signal is not played in a test." },
    Row { number: 74, title: "Linux: greeter and lock screen", cover: Elsewhere, tests: &[("crates/agent/src/platform/linux/logind.rs", "greeters_lock_screens_and_closing_sessions_are_nobodys"), ], real_pc: "", note: "" },
    Row { number: 75, title: "Linux: logind restarted", cover: Elsewhere, tests: &[("e2e/tests/agent.rs", "a_restarted_logind_is_asked_again_and_watched_again"), ], real_pc: "", note: "" },
    Row { number: 76, title: "Message DLL missing or source not registered", cover: Elsewhere, tests: &[("e2e/tests/wine_registration.rs", "a_registration_without_quotation_marks_and_event_source_is_repaired_once"), ("e2e/tests/wine_messages.rs", "every_event_id_resolves_in_both_languages"), ], real_pc: "", note: "" },
    Row { number: 77, title: "Control after PRESHUTDOWN", cover: Elsewhere, tests: &[("crates/agent/src/platform/windows/ffi/service.rs", "controls_after_preshutdown_are_answered_and_arrive"), ("crates/agent/src/platform/windows/ffi/service.rs", "a_missing_payload_and_an_unknown_code_are_refused_not_read"), ("crates/agent/src/platform/windows/watch.rs", "preshutdown_is_announced_first_and_then_ends_the_service"), ], real_pc: "", note: "The handler's context is a static that is never freed." },
    Row { number: 78, title: "Safe mode: service not started", cover: Elsewhere, tests: &[("crates/agent-core/src/agent/back_fill/tests.rs", "row_78_a_boot_without_the_service_is_told_whole_and_declared"), ], real_pc: "", note: "" },
    Row { number: 79, title: "Screen saver without lock", cover: Here, tests: &[], real_pc: "", note: "" },
    Row { number: 80, title: "Kiosk account", cover: Here, tests: &[], real_pc: "", note: "Leaving the account out of attendance is the server's rule, not built yet." },
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn has_test(file: &str, name: &str) -> bool {
    std::fs::read_to_string(root().join(file)).is_ok_and(|text| text.contains(&format!("fn {name}(")))
}

/// `row_NN` of every script of this suite.
fn scripts() -> BTreeSet<u32> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/table_a");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.map(|path| std::fs::read_to_string(path).unwrap());
    let numbers = |text: String| {
        let lines = text.lines().filter_map(|line| line.strip_prefix("fn row_")).map(str::to_owned);
        lines.map(|name| name[..2].parse().unwrap()).collect::<Vec<u32>>()
    };
    texts.flat_map(numbers).collect()
}

fn count(cover: Cover) -> usize {
    TABLE.iter().filter(|row| row.cover == cover).count()
}

fn counts() -> String {
    let real = TABLE.iter().filter(|row| !row.real_pc.is_empty()).count();
    format!(
        "{} rows: {} by these scripts, {} elsewhere, {} not covered; {real} of them have a part that only a real PC can show.",
        TABLE.len(),
        count(Here),
        count(Elsewhere),
        count(NotCovered)
    )
}

fn shown_by(row: &Row) -> String {
    let named =
        row.tests.iter().map(|(file, name)| format!("`{file}::{name}`")).collect::<Vec<_>>().join("; ");
    match row.cover {
        Here if named.is_empty() => format!("`table_a::row_{:02}_…`", row.number),
        Here => format!("`table_a::row_{:02}_…`; {named}", row.number),
        Elsewhere => named,
        NotCovered => "**nothing**".to_owned(),
    }
}

fn document() -> String {
    let mut text = format!(
        "# Table A: situations of a PC, and the test that shows each\n\n\
         Written by `crates/agent-core/tests/table_a/cover.rs`; change it there, then run\n\
         `MNGNTIME_UPDATE=1 cargo nextest run -p mngntime-agent-core --test table_a`.\n\n\
         {}\n\n\
         No row was run on a real PC. The last column says where that matters most.\n\n\
         | # | situation | shown by | note | only on a real PC |\n|---|---|---|---|---|\n",
        counts()
    );
    for row in TABLE {
        let (number, title, shown, note) = (row.number, row.title, shown_by(row), row.note);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {number} | {title} | {shown} | {note} | {} |", row.real_pc);
    }
    text
}

#[test]
fn every_row_is_in_the_table_once() {
    let numbers: Vec<_> = TABLE.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<_>>());
}

#[test]
fn every_test_that_is_named_exists() {
    let here: BTreeSet<u32> = TABLE.iter().filter(|row| row.cover == Here).map(|row| row.number).collect();
    assert_eq!(here, scripts(), "rows shown here, and scripts that are here");
    for row in TABLE {
        let number = row.number;
        assert!(row.cover != Elsewhere || !row.tests.is_empty(), "row {number} names no test");
        assert!(row.cover != NotCovered || !row.note.is_empty(), "row {number} does not say why");
        for (file, name) in row.tests {
            assert!(has_test(file, name), "row {number}: {file} has no test {name}");
        }
    }
}

#[test]
fn the_table_is_printed_and_its_document_is_up_to_date() {
    for row in TABLE {
        println!("{:2} {} – {}", row.number, row.title, shown_by(row));
    }
    println!("{}", counts());
    let path = root().join("docs/windows/table-a.md");
    if std::env::var_os("MNGNTIME_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, document()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == document(), "{} is out of date: run with MNGNTIME_UPDATE=1", path.display());
}
