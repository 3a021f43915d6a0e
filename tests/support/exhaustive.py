"""Which tests `make test` leaves to `make exhaustive`, besides those marked in their own files.

Each takes seconds, and goes over ground that a neighbour, which `make test` runs, has gone over as well.
`tests/test_house.py` holds that every file and function named here exists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

NONE, ONE, TWO = 0, 1, 2
"""How many cases of a test `make test` runs: none, or the first ones that are collected."""

LEFT_OUT: dict[str, dict[str, int]] = {
    "engine/cli/test_replay.py": {
        "test_every_kind_of_run_can_be_judged_again": NONE,
        "test_a_run_whose_report_broke_can_be_judged_again": NONE,
    },
    "engine/hooks/test_confirming.py": {
        "test_what_waits_in_the_background_is_waited_for_again": ONE,
        "test_what_recovers_while_it_is_confirmed_rolls_nothing_back": ONE,
        "test_without_time_to_look_again_nothing_is_rolled_back": NONE,
        "test_what_is_broken_to_the_end_rolls_back": ONE,
        "test_a_confirmation_that_cannot_be_is_refused": ONE,
        "test_lesser_items_are_not_waited_for": NONE,
    },
    "engine/hooks/test_deadline.py": {
        "test_after_the_deadline_the_rest_is_an_error_and_the_verdict_is_written": ONE,
        "test_a_signal_ends_the_run_with_a_report": ONE,
        "test_an_item_that_takes_too_long_is_an_error_and_the_rest_goes_on": ONE,
        "test_an_item_whose_own_clean_up_hangs_is_stopped_again": NONE,
        "test_the_time_of_an_item_holds_for_its_fixtures_too": NONE,
        "test_a_teardown_that_takes_too_long_spoils_no_other_item": NONE,
    },
    "engine/hooks/test_load.py": {
        "test_whatever_ends_the_run_ends_its_load": ONE,
        "test_the_deadline_of_the_run_ends_its_load": NONE,
        "test_a_check_that_lacks_the_part_puts_on_nothing_either": NONE,
        "test_a_path_that_does_not_answer_gets_no_load": NONE,
        "test_a_platform_that_does_not_hold_is_told_once_and_not_asked_again": NONE,
        "test_a_machine_that_is_too_busy_to_send_blames_nobody_else": NONE,
        "test_a_rate_limit_is_no_failure_of_the_platform": NONE,
        "test_where_it_is_required_nothing_proceeds_without_it": NONE,
        "test_forbidden_load_is_not_put_on": NONE,
        "test_load_needs_the_platform_for_itself": NONE,
    },
    "engine/hooks/test_options.py": {
        "test_a_wrong_option_is_one_clear_error": ONE,
        "test_questions_to_pytest_need_no_environment": ONE,
        "test_a_report_folder_that_cannot_be_written_is_found_out_first": NONE,
    },
    "engine/webhook/test_attacks_receiver.py": {
        "test_a_half_open_connection_ends_in_time": TWO,
        "test_a_byte_now_and_then_gives_no_more_time": ONE,
        "test_eighty_half_open_connections_keep_no_delivery_out": 4,
    },
    "e2e/test_kubernetes_host.py": {
        "test_only_the_broken_deployment_goes_back": NONE,
        "test_a_revision_that_is_gone_is_no_target_and_said": NONE,
    },
    "engine/ledger/test_migrations.py": {
        "test_eight_processes_that_upgrade_at_once_do_it_once": NONE,
        "test_alembic_is_imported_for_an_upgrade_alone": NONE,
    },
    "engine/cli/test_ci_rounds.py": {
        "test_a_job_that_is_cancelled_ends_the_run_and_says_so": NONE,
    },
    "engine/calibration/test_calibration.py": {
        "test_the_tally_tells_what_matters_most_first": NONE,
        "test_what_is_simulated_in_time_gets_its_call": NONE,
        "test_what_goes_back_is_the_broken_service_to_a_good_deploy": NONE,
        "test_what_must_go_is_never_kept": NONE,
        "test_a_clear_case_is_seldom_left_to_a_person": NONE,
        "test_the_command_prints_and_judges_itself": NONE,
        "test_rollbacks_are_seldom_wrong_and_seldom_missed": NONE,
        "test_a_judge_that_is_broken_on_purpose_is_seen_in_the_table": NONE,
        "test_the_guides_simulations_keep_their_promise": TWO,
    },
    "docs/test_docs.py": {
        "test_the_first_thing_that_a_reader_tries_works": NONE,
        "test_what_costs_little_is_run_each_time": NONE,
    },
    "e2e/test_browser_faults.py": {
        "test_a_healthy_platform_passes_and_is_pictured": NONE,
    },
    "e2e/test_calls.py": {
        "test_a_stale_credential_is_named_and_nothing_is_rolled_back": ONE,
        "test_a_dead_endpoint_is_judged_as_what_it_serves": NONE,
        "test_one_of_three_ways_to_sign_in_is_a_feature": NONE,
        "test_what_had_failed_before_a_signal_is_named": NONE,
    },
    "e2e/test_ci_job.py": {
        "test_nothing_that_leaves_the_job_holds_a_secret": NONE,
        "test_a_push_of_a_bad_commit_is_written_down": NONE,
        "test_a_push_of_a_bad_commit_says_roll_back": NONE,
        "test_the_token_that_may_write_reaches_the_comment_and_the_log_alone": NONE,
    },
    "e2e/test_command_host.py": {
        "test_only_the_broken_service_goes_back": NONE,
    },
    "e2e/test_database_stories.py": {
        "test_without_the_host_the_baseline_tells_which_migrations_are_new": NONE,
        "test_rows_gone_since_the_baseline_are_lost_data": NONE,
        "test_an_address_that_only_we_cannot_reach_rolls_nothing_back": NONE,
        "test_behind_a_pooler_all_is_well": NONE,
        "test_a_closed_allow_list_is_named_and_rolls_nothing_back": NONE,
    },
    "e2e/test_faults.py": {
        "test_a_fault_gets_the_call_that_it_deserves": ONE,
        "test_when_another_commit_answers_nothing_is_known_of_this_one": NONE,
        "test_errors_for_few_are_no_reason_to_roll_back": NONE,
    },
    "e2e/test_hostile_runs.py": {
        "test_a_target_that_does_everything_in_turn_is_survived": NONE,
        "test_what_is_no_proper_answer_opens_no_hole_and_damages_no_data": NONE,
    },
    "e2e/test_outages.py": {
        "test_a_proxy_that_breaks_nothing_changes_nothing": NONE,
        "test_forty_percent_of_errors_are_rolled_back": NONE,
        "test_an_edge_that_wakes_the_service_up_is_waited_for": NONE,
        "test_an_answer_that_hangs_costs_its_service_two_timeouts": NONE,
        "test_a_single_404_is_no_ground": NONE,
        "test_one_of_so_many_instances_that_cannot_sign_in_is_rolled_back": NONE,
        "test_silence_for_good_is_rolled_back": NONE,
        "test_five_seconds_of_silence_are_an_outage_and_no_rollback": NONE,
    },
    "e2e/test_platform_forms.py": {
        "test_a_healthy_platform_of_another_form_proceeds": NONE,
        "test_a_fault_gets_the_call_that_it_gets_on_the_plain_platform": NONE,
        "test_without_passwords_a_lost_session_needs_an_earlier_run_in_which_it_was_recognised": NONE,
        "test_a_platform_with_google_alone_has_no_password_items": NONE,
    },
    "e2e/test_preflight_faults.py": {
        "test_each_fault_turns_its_items_red_and_holds_the_release": NONE,
        "test_a_destructive_migration_passes_when_who_read_the_plan_names_it": NONE,
        "test_without_a_fault_only_a_person_is_missing": NONE,
    },
    "e2e/test_release_faults.py": {
        "test_without_a_fault_only_people_are_missing": NONE,
        "test_a_fault_turns_its_items_red_and_no_other": ONE,
    },
    "e2e/test_services_apart.py": {
        "test_the_deploy_phase_does_not_wait_for_a_service_that_stays": NONE,
        "test_each_service_is_judged_by_the_commit_that_it_should_run": NONE,
        "test_where_there_is_nothing_to_go_back_to_the_call_says_what_to_do": NONE,
    },
    "e2e/test_stories.py": {
        "test_what_failed_before_and_after_is_not_rolled_back": NONE,
        "test_a_baseline_of_the_same_commit_shows_nothing": NONE,
        "test_what_was_well_before_is_this_deploys_doing": NONE,
        "test_a_webhook_secret_that_is_refused_is_first_of_all_ours": NONE,
        "test_stripes_own_outage_excuses_no_delivery_of_ours": NONE,
        "test_when_the_runners_network_is_cut_nothing_is_known": NONE,
        "test_one_bad_gateway_is_flaky_and_shown": NONE,
        "test_two_percent_of_errors_are_fixed_forward": NONE,
        "test_twenty_percent_of_errors_are_rolled_back": NONE,
        "test_too_few_requests_decide_nothing": NONE,
        "test_after_a_destructive_migration_code_is_never_rolled_back": NONE,
        "test_a_slowdown_is_judged_against_the_time_before": NONE,
    },
    "engine/evidence/test_baselines.py": {
        "test_a_baseline_is_kept_and_compared_with": NONE,
        "test_where_the_ledger_is_away_the_file_serves": NONE,
    },
    "engine/fixtures/test_browser_leftovers.py": {
        "test_pictures_reach_the_verdict_and_the_evidence": NONE,
        "test_without_a_browser_its_items_hold_nothing_up": NONE,
        "test_pages_are_looked_at_after_all_else_and_before_what_waits": NONE,
        "test_a_browser_that_breaks_is_an_error_of_our_own_side": NONE,
    },
    "engine/hooks/test_attacks_conclusion.py": {
        "test_a_signal_while_the_ledger_hangs_costs_neither_verdict_nor_evidence": ONE,
        "test_a_step_that_takes_too_long_is_ended": ONE,
        "test_a_full_disk_keeps_the_call": ONE,
        "test_a_terminal_that_is_gone_keeps_the_call": NONE,
        "test_a_terminal_of_few_characters_keeps_the_call": NONE,
        "test_text_that_no_encoding_can_write_costs_no_verdict": NONE,
        "test_a_ledger_that_hangs_is_waited_for_once": NONE,
        "test_the_report_is_written_before_the_ledger": NONE,
    },
    "engine/hooks/test_attacks_identity.py": {
        "test_a_run_is_one_run_wherever_its_report_goes": ONE,
        "test_a_pytest_that_is_started_within_a_worker_begins_no_run": NONE,
        "test_two_runs_do_not_write_to_one_folder": NONE,
        "test_a_second_run_leaves_no_verdict_of_the_first_and_keeps_its_evidence": NONE,
    },
    "engine/hooks/test_attacks_lost_evidence.py": {
        "test_a_check_that_ends_its_process_does_not_proceed": ONE,
        "test_what_makes_a_verdict_worthless_is_refused": ONE,
        "test_what_the_command_line_leaves_out_is_named": ONE,
        "test_a_selected_part_says_how_many_required_items_it_lacks": ONE,
        "test_a_check_file_that_cannot_be_collected_is_named": ONE,
        "test_a_required_item_whose_check_is_gone_does_not_proceed": ONE,
        "test_a_phase_without_any_check_does_not_proceed": ONE,
        "test_an_early_stop_does_not_proceed": ONE,
        "test_fixtures_alone_verify_nothing": ONE,
        "test_other_settings_lose_no_item": NONE,
        "test_an_environment_to_which_nothing_of_a_phase_applies_does_not_proceed": NONE,
        "test_a_lesser_item_that_is_left_out_does_not_proceed_either": NONE,
        "test_a_collection_error_without_further_ado_interrupts": NONE,
        "test_workers_that_run_without_assertions_do_not_pass": NONE,
        "test_a_project_without_its_conftest_does_not_pass": NONE,
        "test_an_item_that_the_runbook_no_longer_has_is_a_mistake_while_its_check_is_there": NONE,
        "test_the_broken_project_is_rolled_back_where_all_of_it_is_seen": NONE,
        "test_a_process_that_a_check_forks_may_end_as_it_likes": NONE,
        "test_the_quick_half_keeps_its_meaning": NONE,
        "test_a_phase_that_the_runbook_no_longer_has_is_named": NONE,
    },
    "engine/hooks/test_outcomes.py": {
        "test_an_assertion_that_is_not_the_checks_own_is_our_error": ONE,
        "test_an_assertion_of_the_check_is_a_failure": ONE,
    },
    "engine/hooks/test_places.py": {
        "test_the_place_is_in_every_record_of_a_run": ONE,
        "test_the_variable_names_the_place_and_the_option_comes_first": NONE,
        "test_a_name_that_no_file_could_have_is_refused": NONE,
        "test_the_past_of_another_place_is_not_compared": NONE,
        "test_items_without_an_answer_where_no_control_answers_are_named": NONE,
        "test_replay_knows_the_place": NONE,
    },
    "engine/hooks/test_retries.py": {
        "test_only_what_another_try_could_change_is_tried_again": ONE,
        "test_a_worker_that_dies_is_an_error_and_never_a_hang": NONE,
        "test_what_passes_on_another_try_is_flaky_and_shown": ONE,
    },
    "engine/hooks/test_slos.py": {
        "test_a_file_of_the_same_objectives_gives_the_same_verdict": NONE,
        "test_the_runbook_or_the_environment_may_name_the_file": NONE,
    },
    "engine/hooks/test_usage_mistakes.py": {
        "test_a_mistake_is_one_line_and_starts_and_writes_nothing": TWO,
        "test_in_another_folder_the_message_says_where_to_stand": NONE,
    },
    "engine/hooks/test_verdict.py": {
        "test_what_breaks_in_judging_or_writing_is_never_a_good_word": ONE,
        "test_the_exit_code_is_the_call": 3,
        "test_reports_that_are_wanted_elsewhere_go_there": NONE,
        "test_a_folder_of_ones_own_takes_the_report": NONE,
        "test_the_call_is_the_last_thing_on_the_terminal": NONE,
        "test_the_evidence_begins_with_what_was_asked": NONE,
    },
    "engine/http/test_hostile_answers.py": {
        "test_whatever_bytes_come": NONE,
        "test_whatever_json_comes": NONE,
        "test_every_client_survives": 400,
        "test_sampling_and_the_control_probe_survive": 20,
        "test_a_port_that_never_shakes_hands_is_no_answer": 3,
        "test_a_black_hole_is_no_answer": 3,
    },
    "engine/http/test_pace.py": {
        "test_the_plan_says_how_long_the_allowance_makes_the_run_and_what_it_leaves_out": ONE,
    },
    "engine/integrations/test_hostile_answers.py": {
        "test_slowness_is_no_answer_in_time": TWO,
        "test_nonsense_is_no_answer_and_never_a_value": 400,
    },
    "engine/integrations/test_type_fuzzer.py": {
        "test_every_field_as_every_type_gives_a_counted_outcome": TWO,
    },
    "engine/integrations/test_type_fuzzer_hosting.py": {
        "test_every_field_as_every_type_gives_a_counted_outcome": TWO,
    },
    "engine/judge/statistics/test_pace.py": {
        "test_ten_percent_of_errors_are_taken_back": NONE,
        "test_four_percent_of_errors_are_fixed": NONE,
        "test_two_percent_of_errors_are_a_fix_or_not_seen": NONE,
        "test_eighty_percent_slower_within_the_objective_is_fixed_within_two_minutes": NONE,
        "test_five_times_as_slow_and_out_of_its_objective_is_taken_back_soon": NONE,
        "test_thirty_percent_slower_proceeds_within_two_minutes": NONE,
        "test_every_fiftieth_request_failing_is_fixed_within_three_minutes": NONE,
        "test_one_spell_takes_nothing_back": ONE,
    },
    "engine/judge/statistics/test_shifts.py": {
        "test_each_bound_is_wrong_in_one_of_twenty_runs_at_most": ONE,
        "test_unequal_spreads_do_not_make_it_too_sure": NONE,
    },
    "engine/judge/watch/test_detection.py": {
        "test_at_the_line_itself_few_watches_ever_find_a_change": NONE,
        "test_a_change_after_ten_good_rounds_is_found_within_half_more_than_the_minimum": ONE,
    },
    "engine/ledger/test_runs.py": {
        "test_kill_9_at_any_moment_loses_no_run_and_leaves_no_process": NONE,
        "test_a_ledger_that_is_away_changes_nothing": NONE,
        "test_a_leftover_that_cannot_be_judged_is_set_aside_once": NONE,
        "test_runs_at_once_lose_nothing": NONE,
        "test_a_killed_run_is_found_wherever_it_wrote": NONE,
        "test_a_run_that_never_began_is_not_kept": NONE,
        "test_a_run_is_kept": ONE,
    },
    "engine/ledger/test_store.py": {
        "test_several_first_starts_and_writers_at_once_lose_nothing": NONE,
    },
    "engine/masking/test_attacks_masking.py": {
        "test_no_form_comes_out_of_any_output": ONE,
    },
    "engine/reporting/test_attacks_terminal.py": {
        "test_a_narrow_encoding_keeps_the_call": ONE,
        "test_a_reader_that_went_away_keeps_the_call": NONE,
        "test_a_full_disk_behind_the_output_keeps_the_call": NONE,
        "test_no_attack_reaches_any_output": ONE,
        "test_a_closed_output_keeps_the_call": NONE,
    },
    "engine/reporting/test_report_in_a_browser.py": {
        "test_it_asks_for_nothing_breaks_nowhere_and_shuts_nobody_out": NONE,
        "test_the_first_screen_tells_what_is_broken_what_to_do_how_sure_and_who_acts": TWO,
        "test_a_page_is_short_and_small_while_it_is_folded": TWO,
    },
    "engine/rollback/test_command.py": {
        "test_a_verdict_that_is_not_fit_is_not_acted_upon": ONE,
        "test_both_services_are_restored_verified_and_recorded": NONE,
        "test_killed_at_a_call_it_finishes": NONE,
        "test_without_leave_it_refuses": NONE,
        "test_a_deploy_of_four_months_is_nobodys_failed_deployment": NONE,
    },
    "engine/test_plugin.py": {
        "test_a_project_without_a_runbook_does_not_notice_the_plugin": NONE,
    },
    "platform/test_browser.py": {
        "test_a_fault_is_told_for_what_it_is": ONE,
        "test_a_filter_that_does_not_narrow_leaves_others": NONE,
        "test_a_slow_frontend_shows_in_its_loads": NONE,
        "test_another_address_of_things_is_told_by_the_environment": NONE,
        "test_a_tour_sees_what_nobody_shows": NONE,
        "test_a_tour_finds_nothing_and_loads_are_timed": NONE,
        "test_the_session_signs_in_where_there_is_no_password": NONE,
        "test_people_come_in": NONE,
    },
    "platform/test_browser_pages.py": {
        "test_a_page_that_is_none_says_why": TWO,
        "test_a_stuck_page_ends_in_its_time_and_the_next_one_is_fine": NONE,
        "test_a_browser_that_is_killed_is_no_failure_of_the_platform_and_is_replaced": NONE,
    },
    "sandbox/test_checkout.py": {
        "test_a_fault_changes_files_and_leaves_no_trace_when_it_is_off": TWO,
    },
    "sandbox/test_faults.py": {
        "test_some_faults_make_the_api_slower_by_a_share": NONE,
        "test_slow_takes_700_ms_longer": NONE,
        "test_a_fault_comes_and_goes": TWO,
    },
    "sandbox/test_leaving_clients.py": {
        "test_a_client_that_leaves_is_no_traceback_in_the_log": NONE,
    },
    "sandbox/test_life.py": {
        "test_two_live_side_by_side": NONE,
        "test_it_says_so_when_its_database_dies": NONE,
        "test_options_reach_the_platform": NONE,
        "test_it_ends_on_a_signal": NONE,
        "test_root_does_not_run_the_database_itself": NONE,
        "test_secrets_come_from_the_environment_where_it_has_them": NONE,
        "test_the_switchboard_knows_its_faults": NONE,
        "test_nothing_is_left_when_whoever_started_it_is_killed": NONE,
        "test_nothing_is_left_when_it_is_ended_while_it_starts": NONE,
        "test_nothing_is_left_when_it_is_killed": NONE,
    },
    "sandbox/test_render.py": {
        "test_a_running_sandbox_deploys_and_is_away_meanwhile": NONE,
    },
    "engine/hooks/test_masking.py": {
        "test_no_canary_comes_out": TWO,
        "test_no_canary_comes_out_of_a_crash": NONE,
        "test_no_canary_comes_out_between_and_after_the_checks": NONE,
    },
    "engine/hooks/test_checklist.py": {
        "test_a_part_of_a_phase_never_passes_for_the_whole": ONE,
        "test_performance_belongs_to_postdeploy_too": NONE,
        "test_variants_of_one_function_are_one_item": NONE,
        "test_a_person_can_vouch_for_what_only_a_person_can_see": NONE,
        "test_one_file_beside_the_folders_attests_manual_items_of_every_phase": NONE,
    },
    "engine/hooks/test_notifying.py": {
        "test_a_run_tells_its_beginning_and_its_end": ONE,
        "test_a_channel_that_refuses_changes_nothing": NONE,
        "test_an_interrupted_run_is_told_as_what_it_is": NONE,
        "test_nobody_can_be_told_where_there_is_no_channel": NONE,
    },
    "engine/hooks/test_background.py": {
        "test_waits_overlap_and_a_long_one_is_told": NONE,
        "test_results_and_exchanges_reach_the_check_and_errors_keep_their_kind": ONE,
        "test_only_what_is_needed_starts": ONE,
        "test_checks_that_wait_come_last_and_the_others_keep_their_order": NONE,
        "test_a_task_is_given_what_it_names": NONE,
    },
    "engine/hooks/test_drift.py": {
        "test_without_a_gap_the_run_goes_on": NONE,
        "test_a_gap_ends_the_run_before_it_begins": ONE,
        "test_what_cannot_be_compared_is_told": NONE,
    },
    "engine/hooks/test_launching.py": {
        "test_every_process_knows_the_platform_and_it_ends_with_the_run": ONE,
        "test_looking_starts_nothing": ONE,
        "test_an_address_on_the_command_line_means_a_platform_that_is_there": NONE,
    },
    "engine/hooks/test_evidence.py": {
        "test_results_reach_the_verdict_and_the_log": ONE,
        "test_what_is_not_run_has_not_passed": ONE,
        "test_letters_and_words_show_the_status": NONE,
        "test_a_traceback_is_shown_to_who_asks_for_it": NONE,
    },
    "engine/hooks/test_publishing.py": {
        "test_a_system_that_refuses_changes_nothing": NONE,
        "test_sentry_and_grafana_mark_the_time": NONE,
        "test_a_mistake_is_one_clear_error": ONE,
        "test_the_threads_that_tell_import_nothing_of_ours": NONE,
        "test_what_is_missing_is_named": NONE,
    },
    "engine/hooks/test_exports.py": {
        "test_files_of_an_earlier_run_do_not_stay": NONE,
        "test_no_further_file_is_written_unless_asked_for": NONE,
        "test_junit_properties_can_be_left_out": NONE,
        "test_a_mistake_in_the_table_is_one_clear_error": ONE,
        "test_a_file_that_cannot_be_written_changes_nothing": NONE,
    },
    "engine/hooks/test_traces.py": {
        "test_the_token_of_a_receiver_is_masked_wherever_a_check_shows_it": NONE,
        "test_a_receiver_that_refuses_changes_nothing": NONE,
        "test_without_the_extra_one_line_says_how_to_get_it": NONE,
    },
    "engine/checks/test_library.py": {
        "test_a_broken_service_fails": 8,
        "test_a_healthy_service_passes_and_is_measured": 4,
        "test_every_way_to_sign_in": ONE,
    },
    "engine/checks/test_client.py": {
        "test_a_credential_never_reaches_another_origin": TWO,
        "test_no_message_and_no_evidence_shows_a_credential_that_the_server_echoes": TWO,
    },
    "engine/integrations/render/test_client.py": {
        "test_no_answer_is_told_as_such": 60,
    },
    "engine/reporting/pages/test_serving.py": {
        "test_no_request_becomes_a_path": 6,
        "test_nothing_but_reading_is_allowed": 4,
    },
    "engine/reporting/pages/test_in_a_browser.py": {
        "test_it_asks_for_nothing_breaks_nowhere_and_shuts_nobody_out": NONE,
    },
    "engine/ledger/test_pooled_runs.py": {
        "test_runs_of_a_commit_are_judged_together": NONE,
        "test_a_bad_try_of_a_sampling_counts_though_the_next_one_is_good": NONE,
    },
    "engine/ledger/test_retention.py": {
        "test_thousands_are_removed_at_once": ONE,
        "test_any_other_answer_removes_nothing": ONE,
    },
    "engine/sampling/test_uptime.py": {
        "test_a_question_that_hangs_does_not_delay_the_next": NONE,
    },
    "engine/cli/test_init_looks.py": {
        "test_a_description_that_offers_nothing_is_no_obstacle": TWO,
        "test_a_version_is_no_commit": TWO,
        "test_the_workflow_is_of_githubs_form": TWO,
    },
    "engine/cli/test_init.py": {
        "test_a_commit_that_nothing_reports_is_said_and_never_proceed": NONE,
        "test_our_own_wrong_password_is_inconclusive_and_names_the_variable": NONE,
    },
    "engine/rollback/test_executor.py": {
        "test_what_never_came_to_pass_is_not_said_to_be_done": ONE,
        "test_trouble_while_waiting_is_waited_out": ONE,
    },
    "engine/integrations/kubernetes/test_against_kubectl.py": {
        "test_a_rollout_is_as_far_as_kubectl_says": TWO,
    },
    "platform/test_realtime.py": {
        "test_a_broken_protocol_is_a_wrong_answer": ONE,
        "test_a_server_that_pings_without_end_and_reads_nothing_is_left_in_time": NONE,
    },
    "engine/hooks/test_watch_after.py": {
        "test_what_cannot_be_watched_is_refused_before_the_run": ONE,
        "test_what_somebody_has_to_see_at_once_is_not_watched": ONE,
    },
    "engine/config/test_attestations.py": {
        "test_a_check_hears_what_people_say": NONE,
    },
    "engine/reporting/test_html.py": {
        "test_no_field_of_a_report_makes_it_endless": NONE,
    },
    "engine/hooks/test_expressions.py": {
        "test_pytest_refuses_the_same": ONE,
    },
    "engine/cli/test_init_rows.py": {
        "test_rows_are_a_list_or_an_object_of_objects": TWO,
    },
    "engine/judge/statistics/test_large.py": {
        "test_how_many_it_takes_is_found_quickly": NONE,
    },
    "engine/judge/watch/test_watch_call.py": {
        "test_a_restart_in_the_middle_changes_nothing": NONE,
    },
    "engine/hooks/test_plan.py": {
        "test_a_credential_from_the_environment_or_the_file_changes_the_plan": NONE,
    },
    "engine/reporting/test_report_page.py": {
        "test_a_test_has_one_row_with_its_tries_inside": NONE,
    },
}


MOSTLY_WAIT = ("tests/e2e/test_outages.py", "tests/e2e/test_pace.py")
"""Modules whose tests take minutes by the clock and little of the processor."""


def mostly_works(item: pytest.Item) -> bool:
    """A key to sort by: those that mostly wait come first, and wait while other workers work."""
    return not item.nodeid.startswith(MOSTLY_WAIT)


def left_out(nodes: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield each test that `make test` leaves out, in the order of collection."""
    seen: Counter[str] = Counter()
    for node in nodes:
        path, _, name = node.nodeid.removeprefix("tests/").partition("::")
        function = name.partition("[")[0]
        kept = LEFT_OUT.get(path, {}).get(function)
        if kept is None:
            continue
        seen[f"{path}::{function}"] += 1
        if seen[f"{path}::{function}"] > kept:
            yield node
