//! A39: with any one rule switched off, at least one story ends otherwise.

use serde_bytes::ByteBuf;

use super::stage::{Actor, END, Stage, grant_to, minute, stage};
use super::{attacks, cuts, founding, invitations, keyring, log, snapshots, time};
use crate::admission::{NotInserted, Outsiders, Refusal, SpaceLog, Verdict, evaluate};
use crate::codec;
use crate::entropy::Entropy;
use crate::envelope::{self, Header, RawEnvelope};
use crate::ephemeral::{self, Slot};
use crate::guard::{self, Guard};
use crate::id::{DocumentId, EnvelopeId, SpaceId};
use crate::key::SpaceKey;
use crate::statement::{Audience, Body, Capability, Grant, GrantFlags, Statement};
use crate::time::Timestamp;

/// The stories of the other files; those that need long or many runs are left out.
const STORIES: [fn(); 104] = [
    altered_bytes_have_no_form,
    fields_that_contradict_each_other_have_no_form,
    a_grant_is_issued_under_the_one_that_it_names,
    readers_of_another_space_are_given_nothing_but_to_read,
    an_invitation_of_an_administrator_is_to_read_comment_or_write,
    a_grant_with_a_mark_of_tomorrow_is_none,
    a_second_encoding_is_none,
    control_stays_in_its_document,
    a_heartbeat_counts_once,
    a_chain_is_not_continued_in_another,
    a_row_of_nine_grants_is_too_long,
    agents_configuration_is_never_vouched_for,
    attacks::everyone_in_the_cast_may_do_what_they_were_granted,
    attacks::a04_an_envelope_of_another_space_is_not_stored,
    attacks::a06_a_self_made_root_grant_is_refused,
    attacks::a07_a_grant_under_someone_elses_is_refused,
    attacks::a08_a_grant_gives_nothing_that_its_parent_does_not_have,
    attacks::a08_depth_runs_out,
    attacks::a09_an_outsider_with_a_stolen_grant_id_is_refused,
    attacks::a10_readers_and_relays_do_not_write,
    attacks::a10_who_may_comment_adds_entries_and_changes_nothing,
    attacks::writers_do_not_configure_agents_or_name_relays,
    attacks::what_rests_on_refused_content_never_counts_and_is_never_named,
    attacks::content_waits_for_what_it_builds_on,
    attacks::a26_an_invitation_is_redeemed_offline_cannot_outlive_itself_and_is_voided_from_zero,
    attacks::a36_a_second_redemption_waits_whichever_a_witness_saw_first_counts,
    attacks::an_invitations_key_redeems_and_says_nothing_else,
    attacks::a52_no_second_principal_is_invented_under_an_invitation,
    attacks::a43_an_emergency_grant_counts_only_after_its_reason_and_for_a_day,
    attacks::a43_an_emergency_is_not_dated_back_to_a_night_that_nobody_remembers,
    attacks::readers_of_another_space_may_read_while_they_read_there_and_write_nothing,
    attacks::only_the_genesis_needs_no_grant,
    cuts::a12_a13_what_a_revoked_writer_backdates_is_cut_on_every_replica,
    cuts::a14_honest_work_on_top_of_a_cut_write_survives_and_vouches_for_it,
    cuts::a12_who_knows_of_a_revocation_brings_back_nothing_that_it_cuts,
    cuts::a14_who_may_comment_vouches_for_nothing,
    cuts::control_is_never_vouched_for_and_does_not_vouch,
    cuts::a15_lower_and_equal_administrators_cannot_revoke,
    cuts::a16_a_backdated_grant_of_a_revoked_administrator_is_void,
    cuts::a17_a_revoked_administrator_takes_nobody_along,
    cuts::a07_who_holds_a_grant_from_a_stranger_revokes_nobody,
    cuts::a_grant_given_before_its_issuers_own_revokes_nobody,
    cuts::a_grant_on_an_open_fork_revokes_nobody,
    cuts::a_grant_that_came_after_its_issuers_end_revokes_nobody,
    cuts::a22_an_unwitnessed_fork_counts_on_neither_branch,
    cuts::a22_a_proof_counts_where_one_branch_alone_is_here,
    cuts::a22_a_false_proof_forks_nothing,
    cuts::a23_a_witnessed_history_survives_a_fork,
    cuts::a_receipt_by_nobody_settles_no_fork,
    cuts::of_two_vouched_branches_the_lower_id_stands_and_the_other_waits,
    cuts::branches_are_bounded_and_a_named_one_comes_in,
    cuts::of_several_revocations_the_one_that_leaves_least_counts,
    cuts::a_revocation_undone_by_a_new_grant_lets_its_holder_write_again,
    time::a18_after_the_end_an_honest_clock_is_refused_and_a_backdated_one_waits,
    time::a18_a_close_settles_what_came_late,
    time::a19_a_witness_cannot_close_early,
    time::a20_a_second_lower_close_erases_nothing,
    time::a21_without_a_witness_nothing_seen_in_time_vanishes,
    time::a_joiner_believes_the_witness_about_when_something_came,
    time::a50_an_expired_administrators_backdated_revocation_does_not_silence_the_witness,
    time::a50_a_witness_survives_the_one_it_closes,
    time::a51_a_future_dated_close_waits_for_its_time,
    time::a_time_far_ahead_waits_and_counts_when_the_clock_gets_there,
    time::ordinary_content_does_not_evaluate_control_again,
    time::the_close_of_a_grant_counts_for_revocations_under_grants_below_it,
    time::a50_a_revocation_beyond_the_close_does_not_void_that_close,
    time::a_revoked_witness_closes_nothing,
    time::a_contractors_grace_is_long_for_work_and_for_closes,
    time::a51_a_close_that_came_late_closes_nothing,
    time::a50_a_revocation_that_came_late_ends_nothing_until_somebody_accepts_it,
    keyring::every_reader_opens_the_epoch_in_force_and_the_ones_before,
    keyring::a24_a_revoked_or_expired_reader_cannot_open_the_next_epoch,
    keyring::a25_a_wrapped_key_that_is_not_the_committed_one_is_not_taken,
    keyring::a54_an_epoch_with_a_false_public_half_is_not_written_in,
    keyring::a54_a_reader_proves_to_everyone_that_a_public_half_is_false,
    keyring::a54_a_reader_whom_an_epoch_omits_shows_it_to_everyone,
    keyring::a54_a_fit_epoch_cannot_be_rejected,
    keyring::who_may_not_read_rejects_no_epoch,
    keyring::a_late_device_gets_its_key_by_a_share,
    keyring::readers_of_a_system_open_the_agents_space_through_its_epoch,
    founding::the_device_works_while_the_anchor_is_offline_and_the_anchor_stands_above_it,
    founding::a06_the_space_key_signs_two_grants_and_nothing_else_by_it_has_form,
    founding::the_second_grant_by_the_space_key_is_inside_the_anchors,
    founding::a_grant_takes_at_most_four_hundred_bytes,
    invitations::a_guest_stays_after_the_code_has_ended_and_not_after_the_access_has,
    invitations::a26_a_code_redeemed_late_lets_nobody_in_whatever_its_finders_clock_says,
    invitations::the_use_of_a_code_that_lasts_as_long_as_its_access_may_come_as_late_as_its_guests_work,
    invitations::a_joiner_believes_the_witness_that_a_code_was_redeemed_in_time,
    invitations::a_code_that_let_in_all_that_it_may_reads_nothing_more,
    invitations::who_was_sent_away_does_not_come_back_by_the_same_code,
    invitations::a24_when_a_guest_is_sent_away_their_code_opens_nothing_and_they_do_not_come_back,
    invitations::the_end_of_an_invitation_says_who_came_by_it_in_time,
    invitations::a_code_cannot_be_redeemed_after_the_access_it_gives,
    log::a_gap_names_the_head_and_the_order_of_chains_is_free,
    log::equal_sets_have_equal_digests_and_one_envelope_more_changes_them,
    log::ranges_and_branches_are_read_by_position,
    log::ancestors_reach_through_chains_and_the_frontier_names_each_once,
    log::an_ephemeral_is_heard_from_a_live_reader_only,
    snapshots::a49_a_forged_body_in_a_snapshot_is_passed_over_and_the_others_count,
    snapshots::a_snapshot_of_one_document_gives_nothing_of_another,
    snapshots::control_configuration_and_snapshots_are_not_listed,
    snapshots::what_was_sealed_so_that_nobody_can_repeat_it_is_passed_over,
    snapshots::a_snapshot_by_who_may_not_write_or_was_cut_is_not_read,
    snapshots::a_list_out_of_order_or_with_one_twice_is_not_read,
];

#[test]
fn a39_every_rule_that_is_switched_off_is_missed_by_a_story() {
    for story in STORIES {
        story();
    }
    let unmissed: Vec<Guard> = Guard::ALL
        .into_iter()
        .filter(|guard| {
            !STORIES
                .iter()
                .any(|story| guard::is_missed_by(*guard, *story))
        })
        .collect();
    assert!(unmissed.is_empty(), "{unmissed:?}");
}

fn altered_bytes_have_no_form() {
    let (mut stage, mut cast) = stage();
    stage.write(&mut cast.bob, 1);
    let (envelope, _received) = stage.all.last().unwrap();
    let mut forged = envelope.raw().clone();
    forged.signature[5] ^= 1;
    assert!(forged.verify().is_err());
    let mut tampered = envelope.raw().clone();
    tampered.body.as_mut().unwrap()[30] ^= 1;
    assert!(tampered.verify().is_err());
}

fn a_second_encoding_is_none() {
    assert!(codec::decode::<u64>(&[0x81, 0x00]).is_err());
}

/// A statement elsewhere than in the control document, rightly signed by its author.
fn control_stays_in_its_document() {
    let (stage, cast) = stage();
    let raw = signed_anew(&stage, &cast.alice, |header| {
        header.document = DocumentId::named("system");
        header.epoch = EnvelopeId::from_bytes([1; 32]);
    });
    assert!(raw.verify().is_err());
}

/// The newest envelope, which its author says again with another header.
fn signed_anew(stage: &Stage, author: &Actor, change: impl FnOnce(&mut Header)) -> RawEnvelope {
    let (envelope, _received) = stage.all.last().unwrap();
    let mut header = envelope.header().clone();
    assert_eq!(header.chain, author.chain());
    change(&mut header);
    let header = codec::encode(&header).unwrap();
    let id = blake3::derive_key("aramaki envelope id v1", &header);
    RawEnvelope {
        signature: ByteBuf::from(author.keys.sign(b"aramaki-env-v1\0", &id)),
        header: ByteBuf::from(header),
        body: envelope.raw().body.clone(),
    }
}

/// Control under an epoch, content under none, control with a hash of its content, and times that no clock
/// shows: each rightly signed.
fn fields_that_contradict_each_other_have_no_form() {
    let (mut stage, mut cast) = stage();
    let control: [fn(&mut Header); 4] = [
        |header| header.epoch = EnvelopeId::from_bytes([1; 32]),
        |header| header.content_hash = [1; 32],
        |header| header.time = Timestamp::from_millis(-1),
        |header| header.time = Timestamp::from_millis(i64::MAX),
    ];
    assert!(
        signed_anew(&stage, &cast.alice, |_header| {})
            .verify()
            .is_ok()
    );
    for change in control {
        assert!(signed_anew(&stage, &cast.alice, change).verify().is_err());
    }
    stage.write(&mut cast.bob, 1);
    let epochless = |header: &mut Header| header.epoch = EnvelopeId::ZERO;
    assert!(signed_anew(&stage, &cast.bob, epochless).verify().is_err());
}

/// Carol gives somebody something below one of her grants and signs it under another: the end of neither
/// alone would tell what became of it.
fn a_grant_is_issued_under_the_one_that_it_names() {
    let (mut stage, mut cast) = stage();
    let first = cast.carol.grant;
    stage.grant(&mut cast.alice, &mut cast.carol, 1, |grant| {
        grant.capability = Capability::Administer;
        grant.depth_left = 5;
    });
    let mut guest = Actor::new(30);
    let given = stage.grant(&mut cast.carol, &mut guest, 2, |grant| {
        grant.parent = Some(first);
    });
    let refused = stage.verdict(given, 3);
    assert!(
        matches!(refused, Verdict::Refused(Refusal::Statement(_))),
        "{refused:?}"
    );
}

/// Alice, who may give all that there is, gives a grant that has to be none.
fn alice_gives(change: impl FnOnce(&mut Grant)) {
    let (mut stage, mut cast) = stage();
    let mut guest = Actor::new(31);
    let given = stage.grant(&mut cast.alice, &mut guest, 1, change);
    let refused = stage.verdict(given, 2);
    assert!(
        matches!(refused, Verdict::Refused(Refusal::Statement(_))),
        "{refused:?}"
    );
}

fn readers_of_another_space_are_given_nothing_but_to_read() {
    let more: [fn(&mut Grant); 3] = [
        |grant| grant.capability = Capability::Write,
        |grant| grant.depth_left = 1,
        |grant| grant.flags = GrantFlags::WITNESS,
    ];
    for more in more {
        alice_gives(|grant| {
            grant.audience = Audience::ReadersOf(SpaceId::from_bytes([8; 32]));
            grant.box_key = [0; 32];
            grant.capability = Capability::Read;
            more(grant);
        });
    }
}

fn an_invitation_of_an_administrator_is_to_read_comment_or_write() {
    for capability in [Capability::Relay, Capability::Administer] {
        alice_gives(|grant| {
            grant.flags = GrantFlags::INVITATION;
            grant.capability = capability;
            grant.redemptions = 1;
            grant.redeem_until = minute(END);
            grant.depth_left = 1;
        });
    }
}

fn a_grant_with_a_mark_of_tomorrow_is_none() {
    let tomorrow: GrantFlags = codec::decode(&[16]).unwrap();
    alice_gives(|grant| grant.flags = tomorrow);
}

fn a_chain_is_not_continued_in_another() {
    let (mut stage, mut cast) = stage();
    let ritas = stage.say(&mut cast.rita, 1, &receipt());
    cast.bob.seq = 1;
    cast.bob.previous = ritas;
    let grafted = stage.changes(&cast.bob, 2, &[]);
    let inserted = stage.log.insert(&grafted, minute(2));
    assert!(
        matches!(inserted, Err(NotInserted::Form(_))),
        "{inserted:?}"
    );
}

fn receipt() -> Statement {
    Statement::Receipt {
        cuts: Vec::new(),
        at: minute(1),
    }
}

fn a_row_of_nine_grants_is_too_long() {
    let mut entropy = Entropy::from_seed([1; 32]);
    let key = SpaceKey::generate(&mut entropy);
    let mut log = SpaceLog::new(key.space());
    let mut above = Actor::new(1);
    let mut grant = grant_to(&above, Capability::Administer);
    grant.depth_left = 200;
    let root = envelope::found(key, grant.clone(), None, minute(0))
        .unwrap()
        .root;
    log.insert(&root, minute(0)).unwrap();
    above.grant = root.id();
    for seed in 2..=9 {
        let mut below = Actor::new(seed);
        grant.audience = Audience::Author(below.keys.author());
        grant.depth_left -= 1;
        grant.parent = Some(above.grant);
        let position = above.position(log.space(), 1);
        let statement = Statement::Grant(grant.clone());
        let said = envelope::control(&above.keys, position, &statement).unwrap();
        log.insert(&said, minute(1)).unwrap();
        below.grant = said.id();
        above = below;
    }
    let evaluation = evaluate(&log, &Outsiders::none(), minute(2));
    let refused = Verdict::Refused(Refusal::TooDeep);
    assert_eq!(evaluation.verdict(above.grant), refused);
}

fn agents_configuration_is_never_vouched_for() {
    let (mut stage, mut cast) = stage();
    let position = cast.carol.position(stage.space, 1);
    let body = Body::AgentConfig(ByteBuf::from(*b"checks"));
    let config = stage.sealed(&cast.carol, position, &body);
    stage.deliver(&config, minute(1));
    stage.write_on(&mut cast.bob, 2, 2, &[config.id()]);
    let revoke = Statement::Revoke {
        target: cast.carol.grant,
        cuts: Vec::new(),
        reason: 0,
    };
    stage.say(&mut cast.alice, 3, &revoke);
    assert_eq!(stage.verdict(config.id(), 4), Verdict::Cut);
}

fn a_heartbeat_counts_once() {
    let (mut stage, cast) = stage();
    let slot = Slot {
        space: stage.space,
        instance: cast.bob.instance,
        authority: cast.bob.grant,
        document: DocumentId::named("journal"),
        counter: 7,
        time: minute(1),
    };
    let epoch = (EnvelopeId::ZERO, &stage.epoch);
    let sealed =
        ephemeral::seal(&cast.bob.keys, &slot, b"alive", epoch, &mut stage.entropy).unwrap();
    let evaluation = stage.evaluate(1);
    let now = minute(1);
    assert!(sealed.check(&evaluation, 6, now).is_ok());
    assert!(sealed.check(&evaluation, 7, now).is_err());
}
