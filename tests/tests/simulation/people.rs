//! What people wish: Spaces, grants, invitations, a revocation; and wish again when it failed.

use aramaki_sync_core::engine::{Input, WriteId};
use aramaki_sync_core::invitation::{Draft, Terms};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Audience, Capability, Cut, Grant, GrantFlags, Statement};
use aramaki_sync_core::{DocumentId, Entropy, EnvelopeId, PrincipalId, SpaceId, Timestamp};

use crate::invariants::Violation;
use crate::world::{
    FORGER, FOUNDER, GUEST, Happening, LEAVER, MEMBER, PEACE_MS, RELAY, START, Wish, World, YEAR_MS,
};

impl World {
    pub(crate) fn founded(&mut self, space: SpaceId) {
        if self.space.is_some() {
            return;
        }
        self.space = Some(space);
        for (node, capability) in [
            (RELAY, Capability::Relay),
            (MEMBER, Capability::Write),
            (FORGER, Capability::Read),
            (LEAVER, Capability::Write),
        ] {
            let keys = &self.nodes[node].keys;
            let grant = Grant {
                audience: Audience::Author(keys.author()),
                box_key: keys.box_public(),
                principal: PrincipalId::from_bytes([u8::try_from(node).unwrap_or(u8::MAX); 16]),
                capability,
                flags: if node == RELAY {
                    GrantFlags::WITNESS
                } else {
                    GrantFlags::NONE
                },
                not_before: Timestamp::from_millis(START - YEAR_MS),
                end: if node == LEAVER {
                    self.leave_at
                } else {
                    Timestamp::from_millis(START + YEAR_MS)
                },
                depth_left: 1,
                redemptions: 0,
                redeem_until: Timestamp::ZERO,
                parent: Some(EnvelopeId::ZERO),
            };
            self.grant_later(self.now, grant);
            if node != RELAY {
                self.join(self.now, node);
            }
        }
    }

    pub(crate) fn join(&mut self, at: u64, node: usize) {
        let Some(space) = self.space else {
            return;
        };
        let invited = self.invited.filter(|_seed| node == GUEST);
        if node == GUEST && invited.is_none() {
            return;
        }
        let write = self.next_write();
        self.wishes.insert((node, write), Wish::Join);
        let join = Input::Join {
            write,
            space,
            invitation: invited.map(|seed| Box::new(DeviceKeys::from_seed(seed))),
        };
        self.input_at(at, node, join);
    }

    /// What failed, or was cut short by the power, is wished again by whoever wished it.
    pub(crate) fn wish_again(&mut self, node: usize, wish: Wish) {
        let at = self.now + 8_000;
        match wish {
            Wish::Found if node == MEMBER => self.found_other(at),
            Wish::Found => self.found_again(),
            Wish::GrantOther(grantee) => {
                let told = PEACE_MS + 21_000;
                let set_back = self.nodes[MEMBER].was_set_back;
                self.grant_other(if set_back { at.max(told) } else { at }, grantee);
            }
            Wish::Revoke => self.agenda.put(at, Happening::Revoke),
            Wish::Invite(_draft) => self.agenda.put(at, Happening::Invite),
            Wish::Grant(grant) => self.grant_later(at, *grant),
            Wish::Join => self.join(self.now + 1_500, node),
            Wish::JoinOther => self.join_other(self.now + 1_500, node),
            Wish::Change => {}
        }
    }

    fn grant_later(&mut self, at: u64, mut grant: Grant) {
        let Some(space) = self.space else {
            return;
        };
        let engine = self.nodes[FOUNDER].engine.as_ref();
        grant.parent = engine
            .and_then(|engine| engine.best_grant(space))
            .or_else(|| {
                let mut stored = self.nodes[FOUNDER].disk.image.envelopes.iter();
                let genesis = stored.find(|stored| stored.envelope.header().space == space);
                genesis.map(|stored| stored.envelope.id())
            });
        let write = self.next_write();
        let again = Wish::Grant(Box::new(grant.clone()));
        self.wishes.insert((FOUNDER, write), again);
        let statement = Statement::Grant(grant);
        let input = Input::WriteControl {
            write,
            space,
            statement,
        };
        self.input_at(at, FOUNDER, input);
    }

    fn found_again(&mut self) {
        let write = self.next_write();
        self.wishes.insert((FOUNDER, write), Wish::Found);
        let input = Input::CreateSpace {
            write,
            anchor: None,
            principal: PrincipalId::from_bytes([7; 16]),
            end: Timestamp::from_millis(START + YEAR_MS),
        };
        self.input_at(self.now + 1_200, FOUNDER, input);
    }

    pub(crate) fn next_write(&mut self) -> WriteId {
        self.next_write += 1;
        WriteId(self.next_write)
    }

    pub(crate) fn invite(&mut self) {
        let (Some(space), Some(engine)) = (self.space, &self.nodes[FOUNDER].engine) else {
            self.agenda.put(self.now + 2_000, Happening::Invite);
            return;
        };
        let Some(parent) = engine.best_grant(space) else {
            return;
        };
        let terms = Terms {
            parent,
            principal: PrincipalId::from_bytes([7; 16]),
            capability: Capability::Write,
            not_before: Timestamp::from_millis(START - YEAR_MS),
            end: Timestamp::from_millis(START + YEAR_MS / 2),
            redeem_until: Timestamp::from_millis(START + YEAR_MS / 2),
            redemptions: 1,
        };
        let draft = Draft::new(&terms, &mut Entropy::from_seed(self.dice.bytes()));
        let statement = draft.statement();
        let write = self.next_write();
        self.wishes.insert((FOUNDER, write), Wish::Invite(draft));
        let input = Input::WriteControl {
            write,
            space,
            statement,
        };
        self.input_at(self.now, FOUNDER, input);
    }

    pub(crate) fn join_by(&mut self, seed: [u8; 32]) {
        self.invited = Some(seed);
        self.join(self.now + 1, GUEST);
        let line = (RELAY, GUEST);
        self.agenda.put(self.now + 500, Happening::Redial { line });
    }

    /// The member makes a Space of its own.
    pub(crate) fn found_other(&mut self, at: u64) {
        let write = self.next_write();
        self.wishes.insert((MEMBER, write), Wish::Found);
        let input = Input::CreateSpace {
            write,
            anchor: None,
            principal: PrincipalId::from_bytes([8; 16]),
            end: Timestamp::from_millis(START + YEAR_MS),
        };
        self.input_at(at, MEMBER, input);
    }

    pub(crate) fn other_founded(&mut self, space: SpaceId) {
        if self.other.is_some() {
            return;
        }
        self.other = Some(space);
        for grantee in [RELAY, FOUNDER] {
            self.grant_other(self.now, grantee);
        }
        self.join_other(self.now, FOUNDER);
    }

    fn grant_other(&mut self, at: u64, grantee: usize) {
        let Some(space) = self.other else {
            return;
        };
        let mut stored = self.nodes[MEMBER].disk.image.envelopes.iter();
        let genesis = stored.find(|stored| stored.envelope.header().space == space);
        let keys = &self.nodes[grantee].keys;
        let grant = Grant {
            audience: Audience::Author(keys.author()),
            box_key: keys.box_public(),
            principal: PrincipalId::from_bytes([u8::try_from(grantee).unwrap_or(u8::MAX); 16]),
            capability: if grantee == RELAY {
                Capability::Relay
            } else {
                Capability::Write
            },
            flags: GrantFlags::NONE,
            not_before: Timestamp::from_millis(START - YEAR_MS),
            end: Timestamp::from_millis(START + YEAR_MS),
            depth_left: 0,
            redemptions: 0,
            redeem_until: Timestamp::ZERO,
            parent: genesis.map(|stored| stored.envelope.id()),
        };
        let write = self.next_write();
        self.wishes
            .insert((MEMBER, write), Wish::GrantOther(grantee));
        let statement = Statement::Grant(grant);
        let input = Input::WriteControl {
            write,
            space,
            statement,
        };
        self.input_at(at, MEMBER, input);
    }

    /// Also the one who founded it, whose disk may have been set back to before.
    pub(crate) fn join_other(&mut self, at: u64, node: usize) {
        let Some(space) = self.other else {
            return;
        };
        let write = self.next_write();
        self.wishes.insert((node, write), Wish::JoinOther);
        let join = Input::Join {
            write,
            space,
            invitation: None,
        };
        self.input_at(at, node, join);
    }

    /// The founder revokes the leaver, up to what it has of its chains.
    pub(crate) fn revoke(&mut self) {
        let (Some(space), Some(engine)) = (self.space, &self.nodes[FOUNDER].engine) else {
            self.agenda.put(self.now + 2_000, Happening::Revoke);
            return;
        };
        let leaver = self.nodes[LEAVER].keys.author();
        let mut grants = engine.members(space).iter();
        let target = grants.find(|it| it.author == leaver).map(|it| it.grant);
        let (Some(target), Some(log)) = (target, engine.log(space)) else {
            return;
        };
        let cuts = log
            .heads()
            .filter(|(chain, _seq, _id)| chain.author == leaver)
            .map(|(chain, seq, id)| Cut { chain, seq, id });
        let statement = Statement::Revoke {
            target,
            cuts: cuts.collect(),
            reason: 0,
        };
        let write = self.next_write();
        self.wishes.insert((FOUNDER, write), Wish::Revoke);
        let input = Input::WriteControl {
            write,
            space,
            statement,
        };
        self.input_at(self.now, FOUNDER, input);
    }

    /// A message that is not stored, unlike any other.
    pub(crate) fn whisper(&mut self, node: usize) -> Result<(), Violation> {
        let Some(space) = self.space else {
            return Ok(());
        };
        let input = Input::SendEphemeral {
            space,
            document: DocumentId::named("system"),
            bytes: self.dice.bytes().to_vec(),
        };
        self.handle(node, input)
    }
}
