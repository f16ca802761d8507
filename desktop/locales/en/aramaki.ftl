app-name = Aramaki
nav-overview = Overview
nav-timeline = Timeline
nav-systems = My Systems
search-hint = Search Systems, notes, pages…
search-keys = Ctrl+K
palette-none = Nothing matches. Try a shorter word.
status-ok = OK
status-warning = Warning
status-unknown = Unknown
status-critical = Critical
status-missing = Not observed
status-in-hand = { $state }, in hand
overview-title = Overview
overview-empty = No Systems yet
overview-empty-hint = Add the first thing your team runs, or join a workspace by invitation.
overview-uncategorised = Other
overview-all-well = all checks passing
overview-unseen = no result yet: { $words }
overview-agent-missed = agent not heard any more: { $words }
overview-silent = not heard any more; last: { $words }
overview-stands = not heard any more; last heard { $time }: { $words }
overview-nothing-observed = nothing is observed here
overview-raw = before acknowledgement
overview-parts = { $n ->
    [one] 1 part
   *[other] { $n } parts
}
overview-not-shared = { $n ->
    [one] 1 part not shared
   *[other] { $n } parts not shared
}
action-join = Join…
join-what = Invitation, or the path of a file that somebody gave you
action-new-system = New System
action-share = Share…
action-create = Create
action-cancel = Cancel
action-close = Close
action-copy = Copy
action-new-note = New note
system-status = Now
system-since = since { $time } · { $age }
system-as-of = as of { $time } · { $age }, not listened to since
system-why = Why
system-rules = What may I touch?
system-contacts = Whom do I call?
system-dashboards = Dashboards
system-parts = Parts
system-part-of = Part of
system-checks = Checks
system-notes = Notes
system-timeline = What went on
system-agents = Agents
system-services = Services
system-none-services = No agent tells of a service: [[service]] in its agent.toml does.
system-desired = Desired
services-more = { $n ->
    [one] one more
   *[other] { $n } more
}
service-stale = last heard of { $age }: it ran here last
service-unheard = never heard of here
service-conflict-places = several machines say so, it runs in one place
service-conflict-endpoint = another machine claims the same address
system-none-rules = No rules written down. Ask before you touch anything.
system-none-contacts = Nobody is written down.
system-none-checks = Nothing looks at this System itself.
system-none-notes = No notes.
system-on-call = On call: { $schedule }
system-on-call-until = { $who } until { $end }
system-on-call-nobody = nobody yet
system-none-timeline = Nothing happened yet.
system-history = { $n } days
history-unknown = nothing is known
history-unknown-days = nothing known of { $n ->
    [one] 1 day
   *[other] { $n } days
}
history-unknown-of = nothing known of { $span }
history-changes = { $n ->
    [one] 1 change
   *[other] { $n } changes
}
check-last-ok = last OK { $time }
check-never-ok = never seen OK
check-off = off
check-attempt = { $raw }, attempt { $attempt } of { $attempts }, was { $hard }
event-attempt = attempt { $attempt } of { $attempts }
check-flapping = changes too often
check-runbook = Runbook
check-runbook-of = Runbook of { $check }
check-runbook-page = Open this page…
check-runbook-missing = No note of this System is called { $title }. Write one of kind runbook with that title.
check-about = about { $what }
system-for-others = Looks at for others
system-observers = Seen from other Systems
seen-from = seen from { $system }, { $agent }
seen-from-hidden = seen from { $system }, whose agents are not shared with you
other-counts = counts there
other-not-let = counts nowhere: it does not let this System look
observer-checks = { $n ->
    [one] 1 check
   *[other] { $n } checks
}
observer-hidden = What a System that is not shared with you sees is not known here, so this one is not shown as OK.
observer-none = Its own agents alone say how it is.
observer-add = Let another System look…
observer-end = End…
observer-end-of = End that { $from } looks…
observer-title = Who looks at { $system }?
observer-which = The other System: part of its title, or a full Space id
observer-label = What it is called for those who cannot read it
observer-nothing = No System here is called that. One that cannot be read here is named by its full Space id.
observer-half-here = { $system } says: agents of { $from } may look
observer-half-here-hint = The button writes this. It is trust in the people of { $from }: whoever writes there says which checks those are. Whoever may write { $system } can end it.
observer-half-there = { $from } says: this check is about { $system }
observer-counts-then = It says so already. From then on these count for { $system }:
observer-no-check = No check of { $from } says so yet, and until one does nothing counts. Whoever may write { $from } adds this line to a check in its file:
observer-unknown = { $from } is not shared with you, so what its agents see is not known here and { $system } is not shown as OK. Its people add this line to a check in its file:
observer-more = { $n ->
    [one] and 1 more
   *[other] and { $n } more
}
observer-may-not = You may read this System, not change it: whoever may write it can let another one look.
observer-full = As many Systems look at this one as can: end one of those first.
observer-let = Let it look
observer-let-of = Let it count at { $system }…
observer-end-title = End who looks at { $system }?
observer-end-what = What agents of { $from } see of { $system } counts there no more: these checks, and the alerts that follow from them, are gone from it. At { $from } they stay.
observer-end-do = End it
check-handled-ack = acknowledged
check-handled-silence = silenced
check-handled-maintenance = in maintenance
check-handled-offline = offline, as it may be
agent-offline = offline, last heard of { $age }
agent-never-heard = not heard of yet: its machine has not joined, or reaches nobody
agent-not-shared = cannot be read here
touch-freely = Freely
touch-ask = Ask first
touch-escalate = Escalate
part-not-shared = not shared with you
system-gone = This System is not shared with this device.
timeline-title = Timeline
timeline-count = { $n ->
    [one] 1 entry
   *[other] { $n } entries
}
timeline-all = All
timeline-state = States ({ $n })
timeline-deployment = Deployments ({ $n })
timeline-action = Actions ({ $n })
timeline-said = Words ({ $n })
timeline-care = Acknowledged and claimed ({ $n })
timeline-quiet = Silences and maintenance ({ $n })
timeline-told = Notifications ({ $n })
timeline-access = Access ({ $n })
timeline-agent = Agents ({ $n })
timeline-newer = Of newer programs ({ $n })
timeline-words = Words, or a System
timeline-none = Nothing of that kind is here.
timeline-entry-gone = That entry is not among those that are shown here: it is older, or of a System that is not shared with this device.
timeline-system = Of { $title } and its parts ×
timeline-earlier = Earlier entries
timeline-verb = Older: aramaki timeline --since
system-timeline-all = All of this timeline
alert-back = Look further back
draft-handover = Draft handover
draft-handover-hint = A note of the last eight hours: what is wrong and who has it, what was changed and said, what is silenced. You finish it.
draft-handover-title = Handover { $at }
draft-post-mortem = Draft post-mortem
draft-post-mortem-hint = A note of what stands on the timelines from an hour before until it was over. You finish it.
draft-post-mortem-title = Post-mortem { $at }
draft-open = Still wrong
draft-over = Was wrong and is over
draft-changed = Changed
draft-said = Said
draft-quiet = Silenced and under maintenance
draft-nothing = Nothing.
draft-more = There may be more than a draft takes: `aramaki timeline --since` has all.
draft-since = since
draft-until = until
draft-told = told
draft-known = known to
draft-heard = heard again by
draft-unheard = nothing was heard since
draft-gone = looked at no more since
draft-no-result = no fresh result
draft-last-result = the last one was
draft-silent = agent not heard
draft-nameless = a check or agent that was removed
draft-next = To do next
draft-happened = What happened
draft-hit = Whom it hit
draft-why = Why
draft-follows = What follows
draft-timeline = Timeline
draft-alert = alert
event-agent-started = agent on { $host } started ({ $version })
event-agent-stopped = agent stopped
event-agent-removed = agent { $name } was removed
event-silenced = silenced { $what } until { $end }: { $reason }
event-silenced-until-resolved = silenced { $what } until it is resolved, at the latest { $end }: { $reason }
event-silence-ended = ended the silence of { $what } before its time: { $reason }
event-silence-resolved = the silence of { $what } ended with its problems: { $reason }
event-silence-ran-out = the silence of { $what } ran out: { $reason }
event-maintenance = planned maintenance from { $begin } to { $end }: { $reason }
event-maintenance-again = planned maintenance from { $begin } to { $end }, again and again: { $reason }
event-maintenance-opened = maintenance began, until { $end }: { $reason }
event-maintenance-ended = took back the maintenance from { $begin } to { $end }: { $reason }
event-maintenance-over = the maintenance since { $begin } is over: { $reason }
event-quiet-all = everything
event-quiet-subtree = everything, and what parts bring
event-quiet-gone = a check that was removed
event-quiet-family = problems like “{ $family }”
event-quiet-agent = that { $name } is not heard
event-quiet-muted = { $n ->
    [one] muted 1 problem
   *[other] muted { $n } problems
}
was-observed = was observed by { $name } until { $time }
place-entry = Shows this entry on the timeline
place-alert = Opens this alert
event-note = wrote in the note “{ $title }”
event-deployed = deployed { $what }
event-claim = works on it: { $text }
event-desired-done = { $path }: { $action } is done
event-desired-again = { $path }: { $action } failed and is tried again: { $text }
event-desired-failed = { $path }: { $action } failed and was given up: { $text }
event-told = told { $who } through { $target }: { $text }
event-not-told = did not reach { $who } through { $target }: { $text }
event-told-perhaps = may have reached { $who } through { $target }: { $text }
event-telling = is telling { $who } through { $target }: { $text }
event-withdrawal = took back an acknowledgement or a claim
event-withdrawal-because = took back an acknowledgement or a claim: { $text }
event-acknowledged = acknowledged: { $text }
event-access-given = { $name } { $may } until { $end }
event-access-ended = the access of { $name } was ended
event-access-ended-why = the access of { $name } was ended: { $reason }
event-access-expired = the access of { $name } ended by itself
event-two-histories = two histories were signed by { $name }: it was restored from a copy, or its key is in two hands
event-newer = an entry of a newer version ({ $n } bytes)
note-title = Note
note-waits = not on this disk yet
note-here = on this disk only
note-saved = on this disk and elsewhere
note-read-only = you may read this note
note-gone = This note is not here any more.
note-hint = Write here. Everybody who may read this System reads along.
sync-online = { $n ->
    [one] 1 peer
   *[other] { $n } peers
}
sync-no-relay = relay away
sync-over-quota = a quota is reached
sync-over-quota-at = { $peer } takes no more of { $system }: a quota of it is reached. What is written here is kept here and goes there by itself once it is taken; ask whoever runs it.
sync-offline = Offline
sync-disk = On this disk
sync-disk-value = Everything you see, and all that you wrote
sync-pending = { $n ->
    [0] Everything you wrote is on another peer too
    [one] 1 change not on any other peer yet
   *[other] { $n } changes not on any other peer yet
}
sync-age = Last news from elsewhere: { $age }
sync-peer-here = connected, { $path }
sync-peer-gone = last seen { $age }
sync-peer-never = never connected to this device directly
sync-peer-none = No other device is known yet. Share a System or join one.
peer-relay = Relay
peer-agent = Agent
peer-device = Device
share-title = Share “{ $system }”
share-explain = Whoever has this invitation can { $what } this System, its notes and timeline until { $end }. You can revoke it before.
share-explain-later = Whoever has this invitation can { $what } this System, its notes and timeline from { $begin } until { $end }, not before. You can revoke it before.
share-from = From when on (optional): 18:00, 2026-12-24 18:00, or 3h
share-from-unreadable = This is no time. The next 18:00, 2026-12-24 18:00, or 3h for in three hours.
share-from-passed = { $at } has passed. Leave it empty to begin at once.
share-from-code = What begins later is handed over only as a code: somebody who administers has to be online when it begins, or after.
share-read = read
share-write = read and change
share-comment = read and comment on
share-uses = For how many devices
share-hours-typed = or
share-hours = { $n ->
    [one] 1 hour
   *[other] { $n } hours
}
share-days = { $n ->
    [one] 1 day
   *[other] { $n } days
}
share-lasts = For how long
trust-invitation-to = Invitation for { $name }
share-to = For whom (others will see it)
share-may = May
share-make = Make invitation
share-times = { $n ->
    [one] once
   *[other] for { $n } devices
 }
share-once = Works { $times }, until { $end }. Send it over a channel that you trust.
share-once-later = Works { $times }, from { $begin } until { $end }. It can be used before: then the other device waits, and is let in when somebody who administers is online at that time or after. Send it over a channel that you trust.
share-without-relay = No relay keeps this System: joining works only while this device is online.
share-copied = Copied. The clipboard holds a secret now.
share-by = Handed over as
share-by-code = code
share-by-inline = code without a network
share-by-file = file…
share-path = New file (a secret: it lets in who has it)
share-inline-explain = For somebody who cannot reach anybody: a long code that carries the grants. What the System says comes later, over the network or in a file.
share-once-offline = Works { $times }, until the access ends, also without a network. Send it over a channel that you trust.
share-saved = Saved as { $file }. It works { $times }, until the access ends, without a network: on the other machine, join with this file. What is written there comes back with “aramaki carry” and “aramaki take”, or over the network.
new-system-title = New System
new-system-name = Title
new-system-category = Category
new-system-purpose = What is it for?
start-title = An operations workspace that is yours
start-text = Systems, notes, checks and timelines of your team: signed, sealed, on your own disk, replicated between you.
start-create = Create a workspace
start-create-hint = Begin alone; invite others later.
start-join = Join with an invitation
start-join-hint = Paste the text that somebody gave you, or the path of a file.
start-demo = Look at the demo
start-demo-hint = A small organisation on this machine; nothing leaves it.
start-name = Your name, as others see it
start-invitation = Invitation
start-kit-hint = The recovery kit can replace a stolen device. It is sealed by a passphrase; keep the file offline.
start-kit-none = Without a kit whoever steals this device can end what you make here, and nothing can undo that.
start-kit-file = Recovery kit: a new file
start-kit-passphrase = Passphrase of the kit, at least 12 characters
start-kit-again = The passphrase once more
start-kit-without = Do without a recovery kit
start-kit-no-file = The kit needs a file.
start-kit-short = The passphrase needs 12 characters.
start-kit-differs = The second passphrase is another one.
devices-no-kit = There is no recovery kit: whoever steals this device can end what was made here, and nothing can undo that. A kit is made with a workspace.
demo-bar = Demo: one relay, agents that observe this machine, two people
demo-stop-relay = Stop relay
demo-start-relay = Start relay
demo-relay-on = relay is running
demo-relay-off = relay is stopped: you are on your own
age-now = just now
age-seconds = { $n } s
age-minutes = { $n } min
age-hours = { $n } h
age-days = { $n } d
problem-setting = A setting is not usable
problem-setting-hint = Correct it; nothing was changed.
problem-file = A file cannot be used
problem-file-hint = Check the path, and who owns it. Where a new file is to be made, none may be there: nothing is overwritten.
problem-invitation = The invitation is not usable
problem-invitation-hint = Copy the whole code again, or ask for a new one.
problem-refused = This was refused
problem-refused-hint = The trust page of the System says who may do what.
problem-store = The workspace does not open
problem-store-hint = The detail says why. What was stored is kept.
problem-write = The change was not stored
problem-write-hint = Make room on the disk. What was stored before is safe.
problem-nobody = Nobody answered
problem-nobody-hint = Try again when a relay or a member can be reached.
problem-demo = The demo failed
problem-demo-hint = End it and start it again.
problem-passphrase = The key does not open
problem-passphrase-hint = Try its passphrase again.
problem-waits = This device waits for being accepted
problem-waits-hint = Accept it on the device that made the code; then make it again here. Nothing was made: nobody else would have seen it.
problem-other = This did not work
problem-other-hint = The detail says why.
opening = Opening the workspace…
opening-taken = Another program works in this workspace
opening-taken-hint = This window opens by itself as soon as that program lets go of it.
overview-attention = Needs attention
overview-unobserved = Nothing is observed yet. An agent observes a System: aramaki agent invite SYSTEM --name NAME
overview-calm = Nothing asks for anybody.
overview-acknowledged = { $n ->
    [one] 1 acknowledged
   *[other] { $n } acknowledged
}
overview-quiet = { $n ->
    [one] 1 silenced or expected
   *[other] { $n } silenced or expected
}
overview-well = Everything that is observed is OK.
overview-filter-none = No System is in this state.
overview-show-all = Show all
nav-peers = Devices and agents
action-undo = Undo (Ctrl+Z)
action-redo = Redo (Ctrl+Shift+Z)
sync-agents = { $n ->
    [one] 1 agent
   *[other] { $n } agents
}
sync-agents-connected = { $n ->
    [0] none connected
   *[other] { $n } connected
}
sync-show-peers = Show all devices and agents
peer-here = This device
peer-recovery = Recovery kit
devices-title = Your devices
devices-add = Add a device…
devices-add-title = Add a device of yours
devices-add-explain = On the other device, paste this code on the first page, or use “aramaki device join”. It then waits here until you accept it. The code can be used until { $end } and gives nothing by itself.
devices-once = Works once. Only use it on a device of your own.
devices-making = Making a code …
devices-here = This device
devices-here-waits = This device waits
devices-here-waits-hint = Accept it on the device that made the code: compare this key there.
devices-yours = Yours
devices-waits = Waits for you
devices-waits-hint = Compare the key with what the other device shows. Once accepted it may do everything that this device may.
devices-beyond = { $n ->
    [one] Were it lost, one System or agent needs the recovery kit to end its access: “aramaki recover”. All else is ended here.
   *[other] Were it lost, { $n } Systems and agents need the recovery kit to end its access: “aramaki recover”. All else is ended here.
}
devices-beyond-for-good = { $n ->
    [one] Were it lost, nothing could end its access to one System or agent: there is no recovery kit. All else is ended here.
   *[other] Were it lost, nothing could end its access to { $n } Systems and agents: there is no recovery kit. All else is ended here.
}
devices-accept = Accept
devices-accept-key = Accept the device { $key }
peers-title = Devices and agents
peers-count = { $n ->
    [one] 1 known
   *[other] { $n } known
}
peers-equal-rank = { $who } are notifiers of rank { $rank } for { $system }: each of them tells everything, so people hear it more than once. Give each a rank of its own in its notify.toml.
peers-equal-open = Open { $system }
peers-none = Nobody else is known yet
awaited-later = The invitation to { $system } begins { $begin }: the System comes by itself then, if somebody who has it can be reached until { $end }.
awaited-live = Waiting for { $system }: it comes as soon as somebody who has it can be reached, until { $end }.
awaited-ended = The invitation to { $system } ended { $end } unused. Ask for a new one.
awaited-spent = The invitation to { $system } was revoked, or others used it. Ask for a new one.
awaited-give-up = Give up
peers-heartbeat = heartbeat { $age }
peers-observes = observes { $system }
peers-version = version { $version }
peers-until = { $may } until { $end }
peers-spaces = { $n ->
    [one] in 1 Space
   *[other] in { $n } Spaces
}
peers-no-grant = no grant here
may-relay = stores what it cannot read
may-read = reads
may-comment = reads and comments
may-write = reads and changes
may-administer = administers
trust-title = Who may read this
trust-explain = A grant is a signed word and ends by itself. Relays store and forward what they cannot read.
trust-mine = You: { $may }
trust-mine-none = You hold no grant here any more.
trust-ended-elsewhere = Another member says that your access has ended. What you see here may be old, and what you write reaches nobody.
trust-awaits-key = What was written here last cannot be read yet: its key comes by itself as soon as somebody who has it is connected too. If it does not, ask an administrator to open Aramaki.
trust-clock-ahead = This device's clock is at least { $by } ahead of the clock of whoever keeps this System: what you wrote here last counts for nobody else before { $then } by theirs. Put the clock right.
trust-two-histories = Two histories were signed by { $name }: it was restored from a copy, or its key is in two hands. What no relay saw of them does not count. Ask them; if the copy is not theirs, end the access.
trust-since = since { $begin } · until { $end }
trust-root = through the System's own key
trust-through = granted by { $name }
trust-invited = invited by { $name }
trust-more = { $n ->
    [one] and 1 more
   *[other] and { $n } more
}
trust-show = Show everyone
trust-over = over: somebody who came by it was sent away
trust-used = used, lets in nobody else
trust-seen = connected { $age }
trust-soon = Ends within three days. Who still needs it should be given it anew.
trust-end = End access…
trust-end-name = End access of { $name }
trust-lost = Lost…
trust-lost-name = { $name } was lost: end everything
trust-end-title = End access of { $name }
trust-end-here = In this System
trust-end-everywhere = Everywhere: the device was lost
trust-end-looking = Looking what this would end …
trust-end-explain = What they read cannot be taken back. What is written from now on is sealed to the others alone. This cannot be undone: access is given anew instead.
trust-end-do = End access
trust-end-from-start = Let nothing count that they ever wrote here
trust-end-stays = What they wrote until now stays.
trust-end-gone = { $n ->
    [one] One change that they wrote will no longer count.
   *[other] { $n } changes that they wrote will no longer count.
}
trust-end-built-on = { $n ->
    [one] One goes on to count: others wrote on top of it before they knew.
   *[other] { $n } go on to count: others wrote on top of them before they knew.
}
trust-end-discarded = { $n ->
    [one] One change of theirs that waits would never count any more: decide about it first.
   *[other] { $n } changes of theirs that wait would never count any more: decide about them first.
}
trust-end-let-in = It let these in. Was that you? Untick who is not to stay.
trust-end-kept = { $name } keeps another access: { $may }, until { $end }. To end that too, end it separately.
trust-end-kept-lost = { $name } keeps what did not come through the lost device: { $may }, until { $end }.
trust-end-code = Their code, which let in { $left } more until { $until }, lets in nobody from then on. Others who came by it stay; whoever is to come needs a new one.
trust-end-stays-in = { $name } stays: { $may }, until { $end }
trust-depth = { $n ->
    [one] can be given on once
   *[other] can be given on over { $n } links
}
trust-ends = Ends: { $names }
trust-ends-one = { $name } ({ $may })
trust-ends-why = Ends: { $names }, { $why }
trust-ends-invitation = an invitation that the lost device made
trust-ends-more = more than they have without the lost device
trust-ends-administrator = an administrator whom the lost device let in, or a thief with it
trust-ends-named = unticked here
trust-ends-below = let in by somebody who ends
trust-beyond = Stays, because another administrator or the recovery kit has to end it: { $names }
trust-late-count = { $n ->
    [one] 1 change
   *[other] { $n } changes
}
trust-late = After their access had ended came of { $name }: { $count }, the last dated { $last }.
trust-late-redeemed = By a code that was used up already came of { $name }: { $count }, the last dated { $last }.
trust-late-redeemed-late = By a code that was used too late came of { $name }: { $count }, the last dated { $last }.
trust-late-future = Dated in the future, so that a clock is wrong, came of { $name }: { $count }, the last dated { $last }.
trust-late-fork = On the second of two histories, which does not stand, came of { $name }: { $count }, the last dated { $last }.
trust-late-missing = Waiting for something that is not here came of { $name }: { $count }, the last dated { $last }.
left-out-title = { $n ->
    [one] One thing was left out here
   *[other] { $n } things were left out here
 }
left-out-refused = A change that a program refuses: it is too large, nested too deep, or malformed.
left-out-kind = A document of another kind than its name says.
left-out-unreadable = Part of a document that cannot be read.
left-out-waiting = Changes that wait for others which are not here.
left-out-foreign = Entries in an agent’s Space that the agent did not write.
left-out-snapshot = A snapshot that holds what it should not; what counts was read from elsewhere.
left-out-other = Something that only a newer program can name.
left-out-more = aramaki trust held says more.
trust-undecided = { $count } in { $system } wait for a decision, and do not count until then.
trust-undecided-open = Look at the trust of { $system }
trust-late-explain = Nobody sees them until an administrator accepts them. Ask whether they are theirs.
trust-late-accept = Accept what is here
trust-late-never = Nothing makes them count. If their author is to be in, share with them by a new code, and ask them to write it again.
trust-emergency-reads = Whoever has its envelope and passphrase reads here without a word; to write they must first say why, and all see it.
trust-emergency-never = Never used to write.
trust-emergency-used = Last used { $at }: { $reason }
trust-key = Key in words, to compare by voice: { $words }
trust-left-out = What { $name } wrote does not count, because { $closers } closed this access without it: { $count }, the last dated { $last }. Before the access had ended came here of them: { $here }.
trust-left-out-explain = A close leaves out what its author had not seen. What came here in time was left out by mistake or on purpose. What came later may carry a false date: ask whether it is theirs.
trust-left-out-in-time = Count what came in time
trust-left-out-all = Count all of it
settings-title = Settings
settings-theme = Theme
settings-language = Language
theme-system = As the system
theme-light = Light
theme-dark = Dark
language-system = As the system
language-en = English
language-de = Deutsch
age-ago = { $age } ago
age-never = further notice

nav-access = Trust
peer-emergency = Emergency key
event-emergency = opened by the emergency key: { $reason }
emergency-banner = EMERGENCY in { $system }: { $who } came in { $since } and may stay until { $end }: { $reason }
emergency-here = EMERGENCY: you are in { $system } by the emergency key until { $end }: { $reason }
emergency-somebody = somebody with the emergency key
emergency-end = It is over: end it
access-title = Who may do what
access-none = Nobody.
trust-renew = Renew
trust-renew-name = Renew access of { $name }
trust-renew-until = Until now: { $before }. Renewed now: { $then }.
trust-renew-do = Give it anew
trust-renew-hint = Gives it anew, for as long as it was given for.
trust-from = from { $begin } · until { $end }
trust-left = lets in { $left } more until { $code } · they stay until { $end }
emergency-more = { $n ->
    [one] and one more emergency
   *[other] and { $n } more emergencies
}
access-all = All ({ $n })
access-soon = Ends soon ({ $n })
access-people = People ({ $n })
access-machines = Agents and relays ({ $n })
access-invitations = Invitations ({ $n })
access-ended = Ended
access-ends = { $n ->
    [one] 1 access ends within 3 days
   *[other] { $n } accesses end within 3 days
}
nav-alerts = Alerts
nav-alerts-count = { $n ->
    [one] Alerts, 1 needs attention
   *[other] Alerts, { $n } need attention
}
alerts-title = Alerts
alerts-tab-attention = Needs attention ({ $n })
alerts-tab-open = Open ({ $n })
alerts-tab-resolved = Resolved ({ $n })
alerts-group = Group: { $by }
alerts-group-none = none
alerts-group-system = System
alerts-group-family = what fails alike
alerts-group-age = age
alerts-group-owner = who has it
alerts-shown = { $n ->
    [one] 1 alert, worst first, then oldest
   *[other] { $n } alerts, worst first, then oldest
}
alerts-count = { $n ->
    [one] 1 alert
   *[other] { $n } alerts
}
alerts-selected = { $n } selected
alerts-select-none = Select none
alerts-filter-hint = Filter: severity>=warning system:db NOT silenced:yes opened<2h …
alerts-filter-clear = Clear the filter
alerts-none-match = No alert matches
alerts-none-match-hint = The filter lets none of the alerts in this list through.
alerts-none-attention = Nothing needs attention
alerts-none-but-open = What is open, somebody knows of, or it is to be quiet.
alerts-none-at-all = No alert is open.
alerts-none-observed = Nothing is observed yet
alerts-none-resolved = No alert was resolved lately
alerts-show-open = Show what is open
alerts-owner-nobody = Nobody has it
alerts-age-hour = less than an hour
alerts-age-day = less than a day
alerts-age-week = less than a week
alerts-age-longer = longer
alerts-claimed-by = { $name } is on it
alerts-known-to = { $name } knows
alerts-follows = follows from another
alerts-keys = Keys of this page
keys-move = next and previous
keys-open = open its page
keys-select = select, several
keys-select-all = select all that are shown
keys-acknowledge = acknowledge…
keys-claim = claim: I am on it…
keys-silence = silence…
keys-say = write to the timeline…
keys-undo = take back what you did last
keys-filter = filter
keys-escape = select none, go back
deed-acknowledge = Acknowledge…
deed-claim = I am on it…
deed-silence = Silence…
deed-say = Note…
deed-title-acknowledge = Acknowledge { $what }
deed-title-claim = I am on it: { $what }
deed-title-silence = Silence { $what }
deed-title-say = Note on { $what }
deed-words-acknowledge = Why may it stay so for now?
deed-words-claim = What are you doing about it?
deed-words-silence = Why is it to be quiet? (needed)
deed-words-say = For the timeline of the System
deed-do-acknowledge = Acknowledge
deed-do-claim = Claim
deed-do-silence = Silence
deed-do-say = Write
deed-until-resolved = Until resolved
deed-quiet = What is to be quiet
deed-quiet-checks = These checks
deed-quiet-family = What fails alike, in every System where it does now
deed-quiet-systems = The whole Systems
deed-quiet-subtrees = The whole Systems and what their parts bring to them
deed-quiet-labels = Systems with certain labels
deed-by-labels = Silence Systems by their labels…
deed-labels = Which labels: site=rzob AND NOT stage=test
deed-labels-none = Say labels, and what would be quiet is shown here.
deed-labels-fault = Character { $at }: this cannot be read. Write label=value, and AND, OR, NOT and ( ) between.
deed-of-all = Everything of them
deed-of-alike = What fails alike
deed-of-named = Checks of the same name
deed-meant = { $n ->
    [one] 1 System is meant.
   *[other] { $n } Systems are meant.
}
deed-would-mute = { $n ->
    [0] Would mute nothing now.
    [one] Would mute 1 alert now:
   *[other] Would mute { $n } alerts now:
}
deed-known = { $n ->
    [one] It is for 1 alert too that is quiet already:
   *[other] It is for { $n } alerts too that are quiet already:
}
deed-denied = { $n ->
    [one] 1 of them is in a System that you may not change; it stays as it is.
   *[other] { $n } of them are in Systems that you may not change; they stay as they are.
}
deed-not-yours = You may not change these, so they stay as they are: { $names }
deed-too-many = This means too many Systems at once.
deed-nothing-meant = There is nothing here that this would make quiet.
alert-gone = This alert is not here any more
alert-gone-hint = It was resolved long ago, or its System is not shared with this device.
alert-now = What is wrong
alert-lasted = from { $begin } to { $end }
alert-missing = No result of this check came any more, though its agent was heard when one was due.
alert-silent = The agent is not heard any more: nothing is known of what it looks at.
cause-title = Why it is so
cause-below = Broken below, perhaps the cause
cause-more = There are more; the parts below name them.
cause-not-shared = not shared with this device
cause-rule = by its rule: { $rule }
alert-follows = Follows from
alert-habit-new = { $n ->
    [one] Just happened: it was OK on the day before.
   *[other] Just happened: it was OK on all { $n } days before that are known.
}
alert-habit-unheard = { $n ->
    [one] Of one day before nothing is known.
   *[other] Of { $n } days before nothing is known.
}
alert-habit-sometimes = Happens now and then: on { $bad } of { $days } days before.
alert-habit-often = Often broken: on { $bad } of { $days } days before.
alert-habit-long = Broken for { $n } days now.
alert-habit-unknown = Nothing is known of the days before.
alert-worst = worst: { $severity }
alert-first-seen = first seen { $time }
alert-flaps = { $n } times in 90 days
alert-stale = last heard { $time }
alert-before = What changed in the hour before
alert-attempt-same = as before
alert-before-none = Nothing that is known here.
alert-before-ran = { $time }  { $action } on { $host }: { $words }
alert-evidence = Evidence
evidence-all = Show all ({ $size })
evidence-again = Try again ({ $size })
evidence-kept-by = { $host } keeps what is longer than this
evidence-comes = { $host } sends it: { $len } of { $all }
evidence-stop = Stop
evidence-whole = All of it, { $size }, from { $host }
evidence-hide = Show less
evidence-nobody = { $host } does not answer. It may be off, or nobody passes messages on to it. What came with the alert is below.
evidence-gone = { $host } does not keep it any more. What came with the alert is below.
evidence-busy = { $host } was asked for too much lately. Try again in ten minutes.
evidence-nobody-readers = { $host } does not answer this device, which reads it through its System alone. It may be off, or of an older version that hears no readers of its System. What came with the alert is below.
evidence-may-not-ask = This device reads { $host } through its System alone, and { $host } does not hear that System yet: it will once a device of whoever administers both was online.
evidence-not-allowed = This device may not read what { $host } says.
evidence-too-many = Too much is being fetched at once. Try again in a moment.
evidence-too-long = It is said to be longer than any agent keeps: it is not fetched. Look at { $host } itself.
evidence-untrue = What came is not what the alert names: it is not shown. Look at { $host } itself.
evidence-closed = The workspace was closed meanwhile.
alert-taken = Actions taken for this alert
alert-taken-line = { $time }  { $action } on { $host }: { $came } · { $who }: { $reason }
alert-taken-more = { $n ->
    [one] and 1 earlier
   *[other] and { $n } earlier
}
alert-story = What happened to it
alert-care = Who has it
alert-nobody = Nobody has said anything yet.
alert-claimed = { $name } is on it, said { $ago }, until { $end }
alert-was-claimed = { $name } was on it until { $end }
alert-acknowledged = { $name } knows, said { $ago }
alert-was-acknowledged = { $name } knew, said { $ago }; it holds no more
alert-until = until { $end }
alert-silenced = silenced until { $end }
alert-maintained = in maintenance until { $end }
alert-concerns = Whom it concerns
alert-quiet-there = quiet there
alert-open-page = Open its page
actions-title = What can be run here
actions-none = The hosts of this System allow no actions.
actions-run = Run…
actions-run-name = Run { $action } on { $host }
actions-never = never run as far as known
actions-waits = waits
actions-runs = running
actions-done = done
actions-failed = failed ({ $why })
actions-left = not done, and not tried again in this window
actions-lost = begun, and the agent ended before it knew how
actions-unheard = unknown whether and how it ended: its agent has not been heard since { $time }
actions-refused = not run: { $why }
actions-expired = expired: the agent did not answer
actions-last = { $who }, { $ago }: { $came }
actions-watched = for the desired { $path }, { $ago }: { $came }
actions-reason = Why? Others read it beside the run.
actions-approvals = { $n ->
    [one] Somebody else must agree first.
   *[other] { $n } others must agree first.
}
actions-just-done = Someone just did that. { $run }
actions-again = Run it once more all the same
actions-for-alert = For the alert { $name }: its page will say so.
actions-last-runs = Last runs
actions-run-now = Run
actions-run-again = Run again
actions-gone = The host does not allow this any more.
runbooks-title = Runbooks
runbook-edit = Open this runbook
runbook-empty = Nothing stands here yet.
runbook-cut = It is too long to be shown whole; its note has all of it.
runbook-not-known = It is not known yet what the hosts here allow.
runbook-link = This is no action: { $why }.
runbook-no-host = No host of this System is called { $host }.
runbook-no-action = { $host } does not allow { $action }.
runbook-argument = The action does not take this: { $why }.
leave-title = Open this address?
leave-hint = It comes from a note and is opened by another program.
leave-open = Open
note-text = Text
note-preview = As it is read
note-kind-note = Note
note-kind-runbook = Runbook
note-kind-handover = Handover
note-kind-review = Review
note-kind-post-mortem = Post-mortem
run-gone = This run is not known here any more.
run-gone-hint = Of each host the last 50 requests are kept in sight; the timeline has what people wrote about it.
run-what = What was asked for
run-asked = { $who } asked { $ago }, at { $time }; it could begin until { $end }
run-after = once more after the run { $run }
run-began = begun at { $time }
run-ended = ended at { $time }, after { $took }
run-output = What it said
run-output-not-begun = It did not run.
run-output-none-yet = It has said nothing so far.
run-output-unheard = Nothing was heard of it.
run-output-none = It said nothing.
run-output-length = { $n } bytes in all
run-output-left-out = The first { $n } bytes are left out.
run-copy = Copy
run-again = Run again…
timeline-ran-alert = { $words } (for the alert { $name })
timeline-ran = { $action } on { $host }: { $came } · { $who }: { $reason }
requests-title = Waits for an answer
requests-title-host = Waits for its host
requests-count = { $n ->
    [one] A request waits for an answer
   *[other] { $n } requests wait for an answer
}
requests-row = { $who } asks for { $action } on { $host } until { $time }
requests-asks = { $who } asks for { $action } on { $host }
requests-why = Why: { $reason }
requests-until = asked { $ago }, can begin until { $time }
requests-agrees = { $who } agrees
requests-objects = { $who } refuses
requests-needs = { $n ->
    [one] Somebody else must agree.
   *[other] { $n } others must agree.
}
requests-host = Enough agree: the host begins, or says why not.
requests-nobody = Nobody has to agree: the host begins, or says why not.
requests-not-offered = The host does not offer this action now: it says why it does not begin.
requests-over = Somebody refused: it is not run.
requests-agree = Agree…
requests-agree-name = Agree to { $action } on { $host }
requests-agree-title = Agree to this?
requests-agree-now = Agree
requests-refuse = Refuse
requests-refuse-name = Refuse { $action } on { $host }
requests-withdraw = Withdraw
requests-withdraw-name = Withdraw { $action } on { $host }
requests-own = You asked for it yourself: somebody else has to agree.
requests-same-person = Another device of yours asked for it: somebody else has to agree.
requests-agreed = You agreed.
requests-guest = A guest cannot answer.
requests-not-granted = This device may not approve this action.
requests-confirm = It runs then, and nothing takes that back.
requests-gone = This request waits no more.

work-title = Maintenance
work-window-next = Next window: { $from } to { $until }
work-window-open = A window is open until { $until }
work-window-none = No maintenance window is planned.
work-none = No work is asked for in a window.
work-out = Out of service since { $since }: { $reason }
work-group = Of { $name } at least { $least } of { $all } must stay in service; { $now } are now.
work-confirm = Confirm
work-confirm-name = Confirm { $action } on { $host }
work-withdraw = Withdraw
work-withdraw-name = Withdraw { $action } on { $host }
work-ask = In the next window
work-ask-hint = The host runs it in the next maintenance window. What is more than a day away is to be confirmed in the day before.
work-asked = { $who }: { $about }
work-when = { $state }: { $from } to { $until }
work-came = { $state }: { $came }
work-again = { $state }: begun { $count } times, again { $at }
work-pending = pending
work-soon = due soon, to be confirmed
work-needs-window = pending, no window is planned
work-due = due
work-running = running
work-retry = is tried again
work-success = done
work-error = not done
work-unknown = begun, and nobody knows how it ended; it is not run again
work-deleted = withdrawn
work-deleted-unheard = withdrawn; the host has not answered
work-postponed = postponed to the next window
work-missed = its window closed before it could begin
system-alerts = What is wrong
system-here = Who is here
system-here-now = connected now
system-here-nobody = Nobody else has access.
field-severity = how bad it is now
field-worst = how bad it was at its worst
field-state = open, acknowledged or resolved
field-system = the System's title
field-category = the System's category
field-check = the check's name
field-family = what fails alike
field-owner = who knows of it or is on it
field-summary = what the check said
field-label = a label of the System
field-claimed = whether somebody is on it
field-silenced = whether a silence covers it
field-maintenance = whether it is in maintenance
field-inhibited = whether it follows from another
field-flapping = whether it changes too often
field-attention = whether it needs somebody
field-opened = how long ago it began
field-changed = how long ago it changed
field-last-ok = how long ago it was OK
field-age = how long it lasts
field-since = began or changed since
field-flaps = how often in 90 days
field-has = whether it is there at all
fault-at = At character { $at }: { $fault }
fault-too-much = the filter is too long or goes too deep
fault-term = a word, a field or ( is expected
fault-close = ) is expected
fault-not-opened = no ( was opened before this )
fault-quotation = the quotation that begins here has no end
fault-field = there is no field { $name }; in quotation marks the word itself is searched
fault-field-similar = there is no field { $name }; is { $field } meant?
fault-value = a value is expected after { $field }
fault-comparison = { $field } is compared by { $signs }
fault-word = { $field } is one of { $words }
fault-span = a time such as 30s, 5m, 2h, 7d or 1w is expected
fault-time = a time such as 2h, or a date such as 2026-11-28, is expected
fault-number = a whole number is expected
fault-pattern = this regular expression cannot be used
fault-no-text = { $field } is no text, so no regular expression can be held against it
fault-pattern-empty = a regular expression is expected after ~; one with spaces or ( stands in quotation marks

share-reason = What for (optional; others will see it)
trust-reason = For: { $reason }
action-incident = Incident…
incident-title = Incident of “{ $system }”
incident-explain = A Space of its own: who is called in sees what is written there from now on, and nothing of the System itself.
incident-what = What is the matter
incident-call = Call somebody in at once
incident-open = Open incident
incident-opening = Opening …
trust-end-reason = Why (optional; all who read the System will see it)
trust-ended-title = Access that has ended
trust-ended-more = The newest of each System. “aramaki trust audit” says all.
trust-ended-time = its time came { $at }
trust-ended-by = ended { $at } by { $by }
trust-ended-lost = the device was lost
trust-ended-others = { $n ->
    [one] one other’s ended with it
   *[other] { $n } others’ ended with it
}
trust-ended-reason = Why: { $reason }
values-short = Values
values-of = Values of { $check }
values-title = What it measured in the last 24 hours
values-ask = Ask its host
values-ask-again = Ask again
values-asking = asking…
values-as-of = as asked { $ago }
values-nobody = Nobody answered. Is the agent connected? What it answers later is shown here.
values-refused = Not answered: { $why }
values-failed = The host could not tell: { $why }
values-unreadable = What came is no answer. Does its actions.d have series.toml as it is delivered?
values-nothing = Nothing was measured in that time.
values-none-tells = No host of this System lets its values be read from afar.
values-none-tells-hint = Put docs/series.toml.example into /etc/aramaki/actions.d on the host, as series.toml.
values-extremes = least { $least }, most { $most }, last { $last }
values-warns = warning { $limit }
values-critical = critical { $limit }
values-above = above { $high }
values-below = below { $low }
values-outside = outside { $low } to { $high }
values-between = within { $low } to { $high }
values-left-out = { $n ->
    [one] 1 more had no room in the answer.
   *[other] { $n } more had no room in the answer.
}
proposals-open = What could be checked…
proposals-count = { $n ->
    [one] 1 proposed check…
   *[other] { $n } proposed checks…
}
proposals-title = Proposed checks for { $system }
proposals-none = Everything that was found is looked at, or ignored.
proposals-none-tells = No host of this System lets be asked from afar what could be checked.
proposals-none-tells-hint = Put docs/discover.toml.example into /etc/aramaki/actions.d on the host, as discover.toml.
proposals-all = All
proposals-may-not = You may not change this System.
proposals-everywhere = What is accepted runs on every agent of this System.
proposals-accept = { $n ->
    [0] Accept
   *[other] Accept { $n }
}
proposals-ignore = { $n ->
    [0] Ignore
   *[other] Ignore { $n }
}
proposals-undo = Undo
keys-perspective = perspectives
perspective-none = Perspectives
perspective-named = Perspective: { $name }
perspective-changed = Perspective: { $name }, changed
perspective-none-saved = Systems, filter, tab and grouping can be kept under a name. Your devices share them.
perspective-update = Keep the changes
perspective-rename = Rename…
perspective-delete = Delete
perspective-save = Keep as…
perspective-keep = Keep
perspective-everything = Show everything
roots-all = All Systems
roots-below = { $system } and below
roots-several = { $n ->
    [one] 1 System and below
   *[other] { $n } Systems and below
}
roots-find = Find a System…
