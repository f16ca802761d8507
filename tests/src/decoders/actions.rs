//! What people ask of agents, and agents tell of what they did: read by agents and by the app.

use std::collections::BTreeMap;

use aramaki_model::action::{
    ActionGrant, ActionOutput, ActionPower, ActionRecord, ActionRequest, ActionResult, ActionWish,
    Approval, Attempt, Catalogue, Described, HeardOutput, MaintenanceRule, Outcome, Parameter,
    ParameterKind, RefusedFor,
};
use aramaki_model::evidence::{
    EvidenceAnswer, EvidenceAsk, Gathering, KeptEvidence, NoEvidence, WholeEvidence, pieces,
};
use aramaki_model::maintenance::redundancy::{GroupsHeld, Member, Redundancy};
use aramaki_model::{AlertId, HomeEntry, ItemId, Kit};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId};

use super::Decoder;
use super::wire::NOW;

/// Everything around actions, and what a person's devices tell each other. What can be read can be
/// written again, and says the same then.
pub(super) const ACTION: Decoder = Decoder {
    name: "action",
    run: |bytes| {
        if let Ok(written) = ActionGrant::decode(bytes).map(|it| it.encode()) {
            let again = written.as_deref().map(ActionGrant::decode);
            assert_eq!(again, Ok(ActionGrant::decode(bytes)));
        }
        if let Ok(written) = ActionWish::decode(bytes).map(|it| it.encode()) {
            let again = written.as_deref().map(ActionWish::decode);
            assert_eq!(again, Ok(ActionWish::decode(bytes)));
        }
        if let Ok(record) = ActionRecord::decode(bytes) {
            if let Ok(written) = record.encode() {
                assert_eq!(ActionRecord::decode(&written), Ok(record.clone()));
            }
            if let ActionRecord::Result(result) = record
                && let Outcome::Refused(why) = &result.outcome
            {
                drop(why.to_string());
            }
        }
        if let Ok(written) = GroupsHeld::decode(bytes).map(|it| it.encode()) {
            let again = written.as_deref().map(GroupsHeld::decode);
            assert_eq!(again, Ok(GroupsHeld::decode(bytes)));
        }
        if let Ok(piece) = ActionOutput::decode(bytes) {
            let mut heard = HeardOutput::default();
            heard.take(&piece);
            drop(heard.after(0));
            if let Ok(written) = piece.encode() {
                assert_eq!(ActionOutput::decode(&written), Ok(piece));
            }
        }
        if let Ok(ask) = EvidenceAsk::decode(bytes) {
            assert_eq!(EvidenceAsk::decode(&ask.encode().unwrap()), Ok(ask));
            assert!(pieces(bytes, &ask).count() <= 32);
        }
        if let Ok(EvidenceAnswer::Piece(piece)) = EvidenceAnswer::decode(bytes) {
            let len_bytes = u64::from(piece.number) * 3;
            let id = piece.id;
            if let Ok(mut gathering) = Gathering::new(KeptEvidence { id, len_bytes }) {
                gathering.take(&piece);
                assert!(gathering.len_came_bytes() <= len_bytes);
                drop(gathering.whole());
            }
        }
        if let Ok(written) = HomeEntry::decode(bytes).encode() {
            assert_eq!(HomeEntry::decode(&written), HomeEntry::decode(bytes));
        }
    },
    seeds: || {
        let mut seeds: Vec<Vec<u8>> = Vec::new();
        let id = EnvelopeId::from_bytes([3; 32]);
        let grant = ActionGrant {
            grantee: AuthorId::from_bytes([1; 32]),
            agent: SpaceId::from_bytes([2; 32]),
            actions: vec!["flush".to_owned()],
            power: ActionPower::Approve,
            end: NOW,
        };
        seeds.extend(grant.encode());
        let request = ActionRequest {
            again: Some(id),
            agent: SpaceId::from_bytes([2; 32]),
            action: "flush".to_owned(),
            definition: [4; 32],
            arguments: [("path".to_owned(), "/shop".to_owned())].into(),
            not_before: NOW,
            end: NOW,
            reason: "old prices".to_owned(),
            alert: Some(AlertId([5; 32])),
        };
        seeds.extend(ActionWish::Request(request.clone()).encode());
        let item = ItemId::from_bytes([8; 16]);
        seeds.extend(
            ActionWish::Maintenance {
                request,
                item,
                groups: 7,
            }
            .encode(),
        );
        let piece = ActionOutput {
            request: id,
            from: 640,
            bytes: b"half of it".to_vec(),
        };
        seeds.extend(piece.encode());
        let whole = WholeEvidence::of(&"what a hook said\n".repeat(99), "").unwrap();
        let ask = EvidenceAsk {
            id: whole.kept.id,
            from: 1,
            pieces: 2,
        };
        seeds.extend(ask.encode());
        let answers = pieces(whole.text.as_bytes(), &ask).map(EvidenceAnswer::Piece);
        seeds.extend(answers.filter_map(|it| it.encode().ok()));
        seeds.extend(EvidenceAnswer::Nothing(ask.id, NoEvidence::Gone).encode());
        let approval = Approval {
            request: id,
            agrees: true,
            end: NOW,
        };
        seeds.extend(ActionWish::Approval(approval).encode());
        let text = ParameterKind::Text {
            pattern: "[a-z]*".to_owned(),
            len_bytes_max: 9,
        };
        let choice = ParameterKind::Choice(vec!["a".to_owned()]);
        let number = ParameterKind::Integer { min: -1, max: 9 };
        let parameters = [text, choice, number].map(|kind| Parameter {
            name: "path".to_owned(),
            kind,
            default: None,
        });
        let described = Described {
            description: "empty the cache".to_owned(),
            definition: [4; 32],
            parameters: parameters.into(),
            approvals: 1,
            is_read_only: false,
        };
        let catalogue = Catalogue {
            at: NOW,
            actions: [("flush".to_owned(), described)].into(),
            maintenance: BTreeMap::new(),
        };
        seeds.extend(ActionRecord::Catalogue(catalogue.clone()).encode());
        let rule = MaintenanceRule {
            attempts: 3,
            retry_after_ms: 60_000,
        };
        let catalogue = Catalogue {
            maintenance: [("flush".to_owned(), rule)].into(),
            ..catalogue
        };
        seeds.extend(ActionRecord::Catalogue(catalogue).encode());
        let attempt = Attempt {
            request: id,
            number: 1,
            began: NOW,
            ended: NOW,
            again_at: NOW,
            tail: b"locked".to_vec(),
        };
        seeds.extend(ActionRecord::Attempt(attempt).encode());
        seeds.extend(
            ActionRecord::Started {
                request: id,
                at: NOW,
            }
            .encode(),
        );
        let refused = Outcome::Refused(RefusedFor::NotApproved {
            needed: 2,
            given: 1,
        });
        for outcome in [Outcome::Exit(0), Outcome::TimedOut, refused] {
            let result = ActionResult {
                request: id,
                outcome,
                began: NOW,
                ended: NOW,
                tail: b"200 OK".to_vec(),
                len_bytes: 6,
                hash: [5; 32],
            };
            seeds.extend(ActionRecord::Result(Box::new(result)).encode());
        }
        let space = SpaceId::from_bytes([2; 32]);
        let group = Redundancy {
            at_least: 1,
            members: [space].into(),
        };
        let held = GroupsHeld {
            generation: 7,
            system: space,
            groups: vec![("front".to_owned(), group)],
            members: [(space, Member::default())].into(),
            keepers: vec![space],
        };
        seeds.extend(held.encode());
        let kit = Kit {
            at: NOW,
            author: AuthorId::from_bytes([1; 32]),
            box_key: [6; 32],
        };
        seeds.extend(HomeEntry::Kit(kit).encode());
        seeds
    },
};
