"""The invariants, each a function of the evidence; its id is in its name."""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from torture.check.evidence import Evidence
from torture.check.finding import Finding
from torture.check.invariants import (
    adjustments,
    allowances,
    balances,
    belonging,
    copies,
    days,
    delivery,
    due,
    endurance,
    exchange,
    history,
    leaving,
    read_model,
    settlement,
)

Invariant: TypeAlias = Callable[[Evidence], Iterator[Finding]]

INVARIANTS: Final[tuple[Invariant, ...]] = (
    settlement.m1_items_are_open_plus_applied,
    adjustments.m1_written_off_is_the_sum_of_adjustments,
    allowances.m1_allowed_is_the_sum_of_allowances,
    settlement.m2_open_is_between_zero_and_total,
    allowances.m2_discounts_stay_within_their_terms,
    settlement.m3_receipts_are_where_their_money_is,
    leaving.m3_returned_money_is_nowhere_else,
    leaving.m3_what_people_took_off_stays_off,
    settlement.m4_memos_are_remaining_plus_applied,
    balances.m5_balances_agree,
    copies.m6_copies_of_items_agree,
    copies.m6_copies_of_memos_agree,
    copies.m6_exposures_agree,
    adjustments.m6_copies_of_adjustments_agree,
    copies.m6_copies_of_notices_agree,
    leaving.m6_refunds_agree,
    leaving.m6_fees_agree,
    settlement.m7_only_equal_currencies_meet,
    exchange.m7_gains_add_up,
    settlement.m8_entries_balance,
    read_model.m9_aging_is_what_the_checker_ages,
    history.d1_documents_are_those_accepted,
    adjustments.d1_voids_are_those_accepted,
    adjustments.d1_adjustments_are_those_accepted,
    history.d1_receipts_are_those_accepted,
    leaving.d1_refunds_are_those_decided,
    history.d1_answers_are_as_they_should_be,
    history.d1_limits_are_those_set,
    history.d1_keys_keep_their_answers,
    history.d2_asking_again_changes_nothing,
    history.d2_a_rush_has_one_effect,
    delivery.e1_the_log_is_what_was_committed,
    delivery.e2_first_occurrences_are_in_order,
    delivery.e3_sequences_are_heard_up_to_their_heads,
    delivery.e4_nothing_is_set_aside_but_poison,
    delivery.e4_refusals_are_answered_once,
    copies.e5_the_ledger_is_its_facts,
    allowances.e5_allowances_are_their_facts,
    exchange.e5_gains_are_their_facts,
    delivery.e6_positions_are_at_the_ends,
    delivery.e7_nothing_waits,
    read_model.r2_the_read_model_is_a_fold_of_the_log,
    read_model.r2_receipts_in_the_read_model_are_a_fold_of_the_log,
    exchange.r2_exchange_differences_are_a_fold_of_the_log,
    days.w1_all_services_are_on_one_day,
    days.w1_markers_come_one_by_one,
    days.w1_markers_keep_what_they_promise,
    days.w1_records_are_booked_on_their_own_day,
    due.w1_instalments_fall_due_once,
    due.w1_instalments_are_overdue_once,
    leaving.w1_fees_are_billed_two_days_later,
    days.w1_notices_are_a_function_of_the_facts,
    adjustments.a2_nobody_decides_about_their_own_request,
    adjustments.a2_every_effect_has_an_approval,
    leaving.a2_refunds_are_made_by_two,
    belonging.s1_rows_belong_to_the_entity_of_their_key,
    belonging.s1_facts_belong_to_the_entity_of_their_key,
    endurance.o1_processes_do_not_grow,
    endurance.o1_connections_stay_within_their_pools,
    endurance.o1_nobody_forgets_an_exception,
)


def findings(evidence: Evidence) -> list[Finding]:
    """Return what is wrong, in the order of the invariants; empty when everything holds."""
    return [finding for invariant in INVARIANTS for finding in invariant(evidence)]
