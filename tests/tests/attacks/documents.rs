//! What an admitted envelope may carry into a document: engines judge who wrote it, and the model
//! what is in it.

use aramaki_model::doc::Refusal;
use aramaki_model::{
    AdmittedChange, ChangeScope, Edit, EnvelopeLinks, Finding, NoteId, Reason, Workspace, name,
};
use aramaki_sync_core::admission::Verdict;
use aramaki_sync_core::envelope::Envelope;
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::{Chain, DocumentId, EnvelopeId};
use serde_bytes::ByteBuf;

use crate::actor::Actor;
use crate::world::{ALICE, BOB, RITA, World, minute};

/// Who reads, and so has a model of what it holds.
const READERS: [usize; 3] = [ALICE, BOB, RITA];

fn body(edit: Edit) -> Body {
    Body::Changes(edit.changes.into_iter().map(ByteBuf::from).collect())
}

/// The chain under which a peer writes.
fn chain_of(world: &World, at: usize) -> Chain {
    let engine = world.engine(at);
    Chain {
        author: engine.author(),
        instance: engine.instance(),
    }
}

/// The last envelope that a peer wrote.
fn head_of(world: &World, at: usize) -> EnvelopeId {
    let chain = chain_of(world, at);
    world
        .engine(BOB)
        .log(world.space)
        .unwrap()
        .head(chain)
        .unwrap()
        .1
}

/// What a reader's model makes of all that its engine admits, and what it leaves out.
fn read(world: &World, at: usize) -> (Workspace, Vec<Finding>) {
    let log = world.engine(at).log(world.space).unwrap();
    let links = log.iter().map(|entry| EnvelopeLinks {
        id: entry.id(),
        previous: entry.header().previous,
        ancestors: entry.header().ancestors.clone(),
    });
    let links: Vec<_> = links.collect();
    let mut workspace = Workspace::new();
    let mut findings = workspace.link(world.space, &links);
    for document in [name::system(), name::note(NoteId::default())] {
        let admitted = world.engine(at).admitted(world.space, document);
        let changes = admitted.into_iter().map(|entry| {
            let Some(Body::Changes(changes)) = world.body(at, entry.id) else {
                panic!("peer {at} cannot open what it admitted");
            };
            AdmittedChange {
                chain: entry.chain,
                id: entry.id,
                changes: changes.into_iter().map(ByteBuf::into_vec).collect(),
                scope: ChangeScope::Documents,
            }
        });
        let changes: Vec<_> = changes.collect();
        findings.extend(workspace.admit(world.space, document, &changes));
    }
    (workspace, findings)
}

/// Bob writes what his model makes of an edit.
fn bob_says(world: &mut World, at: i64, title: &str, note: &str) {
    let (mut bob, _findings) = read(world, BOB);
    let chain = chain_of(world, BOB);
    for edit in edits(&mut bob, world, chain, (at, title, note)) {
        let document = edit.document;
        world.write_body(BOB, document, body(edit)).unwrap();
    }
}

fn edits(
    model: &mut Workspace,
    world: &World,
    chain: Chain,
    (at, title, note): (i64, &str, &str),
) -> [Edit; 2] {
    let (space, now) = (world.space, minute(at));
    let system = model.edit_system(space, &chain, now, |edit| edit.title(title));
    let note = model.set_note(space, NoteId::default(), &chain, now, note);
    [system, note].map(Result::unwrap)
}

/// Under her own key mallory signs what she likes; it builds on all that bob wrote.
fn mallory_says(world: &World, mallory: &mut Actor, at: i64, edit: Edit) -> Envelope {
    let mut position = mallory.position(world, minute(at));
    position.ancestors = vec![head_of(world, BOB)];
    let (epoch, key) = world.epoch(&mallory.keys);
    let document: DocumentId = edit.document;
    mallory.seal_in(document, position, &body(edit), (epoch, &key))
}

/// What each reader shows: the title, the note, and whose change was left out.
fn shown(world: &World, at: usize) -> (String, String, Vec<(EnvelopeId, Reason)>) {
    let (workspace, findings) = read(world, at);
    let left_out = findings.into_iter();
    let left_out = left_out.map(|it| (it.envelope.unwrap(), it.reason));
    let title = workspace.system(&world.space).unwrap().title.clone();
    let note = workspace.note_text(&world.space, NoteId::default());
    (title, note.unwrap().to_owned(), left_out.collect())
}

/// Mallory may write, and puts into an envelope of her own the very changes that bob would make next,
/// under bob's actor. Every engine admits the envelope, because what it says of its author is true; every
/// reader's model leaves the change out, names the envelope, and so whose it is. Bob's own change of
/// that number counts everywhere, and so does what mallory writes honestly later.
#[test]
fn a11_an_admitted_envelope_with_a_borrowed_actor_changes_nothing_and_names_its_author() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    bob_says(&mut world, 1, "Webshop", "restart web1");
    world.goes_on();
    // The next changes of bob's, made by whoever has what he has.
    let (mut as_bob, _findings) = read(&world, BOB);
    let bob = chain_of(&world, BOB);
    let forged = edits(&mut as_bob, &world, bob, (2, "Mallory's shop", "rm -rf /"));
    let forged = forged.map(|edit| mallory_says(&world, &mut mallory, 2, edit));
    world.spread(&[&forged[0], &forged[1]]);
    let blamed: Vec<_> = forged
        .iter()
        .map(|envelope| (envelope.id(), Reason::Refused(Refusal::Actor)))
        .collect();
    for envelope in &forged {
        assert_eq!(world.agreed(envelope.id()), Verdict::Admitted);
    }
    for at in READERS {
        let (title, note, left_out) = shown(&world, at);
        assert_eq!((&*title, &*note), ("Webshop", "restart web1"), "peer {at}");
        assert_eq!(left_out, blamed, "peer {at}");
        // What the person is told names an envelope, and that names who signed it.
        let log = world.engine(at).log(world.space).unwrap();
        let signer = log.get(left_out[0].0).unwrap().header().chain.author;
        assert_eq!(signer, mallory.keys.author());
    }
    // Bob's own changes of the same number are not kept out, though they come later.
    bob_says(&mut world, 3, "Shop", "restart web2");
    world.goes_on();
    for at in READERS {
        let (title, note, left_out) = shown(&world, at);
        assert_eq!((&*title, &*note), ("Shop", "restart web2"), "peer {at}");
        assert_eq!(left_out, blamed, "peer {at}");
    }
    // Nor is mallory's honest work, though it follows her forgery in her chain.
    let (mut model, _findings) = read(&world, BOB);
    let own = edits(
        &mut model,
        &world,
        mallory.chain(),
        (4, "Shop 2", "call Mallory"),
    );
    let own = own.map(|edit| mallory_says(&world, &mut mallory, 4, edit));
    world.spread(&[&own[0], &own[1]]);
    for at in READERS {
        let (title, note, left_out) = shown(&world, at);
        assert_eq!((&*title, &*note), ("Shop 2", "call Mallory"), "peer {at}");
        assert_eq!(left_out, blamed, "peer {at}");
    }
}
