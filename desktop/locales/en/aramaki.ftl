app-name = Aramaki
nav-overview = Overview
nav-timeline = Timeline
nav-systems = My Systems
search-hint = Search Systems, notes, commands…
palette-none = Nothing matches. Try a shorter word.
status-ok = OK
status-warning = Warning
status-unknown = Unknown
status-critical = Critical
status-missing = Not observed
overview-title = Overview
overview-empty = No Systems yet
overview-empty-hint = Add the first thing your team runs, or join a workspace by invitation.
overview-uncategorised = Other
overview-all-well = all checks passing
overview-nothing-observed = nothing is observed here
overview-raw = raw state
overview-parts = { $n ->
    [one] 1 part
   *[other] { $n } parts
}
overview-not-shared = { $n ->
    [one] 1 part not shared
   *[other] { $n } parts not shared
}
action-new-system = New System
action-share = Share…
action-create = Create
action-cancel = Cancel
action-close = Close
action-copy = Copy
action-back = Back
action-new-note = New note
system-status = Now
system-since = since { $time } ({ $age })
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
system-none-rules = No rules written down. Ask before you touch anything.
system-none-contacts = Nobody is written down.
system-none-parts = No parts.
system-none-checks = Nothing looks at this System itself.
system-none-notes = No notes.
system-none-timeline = Nothing happened yet.
system-history = { $n } days
check-last-ok = last OK { $time }
check-never-ok = never seen OK
check-flapping = changes too often
check-handled-ack = acknowledged
check-handled-silence = silenced
touch-freely = Freely
touch-ask = Ask first
touch-escalate = Escalate
part-not-shared = not shared with you
timeline-title = Timeline
timeline-count = { $n ->
    [one] 1 entry
   *[other] { $n } entries
}
event-agent-started = agent on { $host } started ({ $version })
event-agent-stopped = agent stopped
event-claim = works on it: { $text }
event-acknowledged = acknowledged: { $text }
event-newer = an entry of a newer version ({ $n } bytes)
note-title = Note
note-saved = on this disk
note-hint = Write here. Everybody who may read this System reads along.
sync-online = { $n ->
    [one] 1 peer
   *[other] { $n } peers
}
sync-offline = Offline
sync-disk = On this disk
sync-disk-value = everything you see and wrote
sync-pending = { $n ->
    [0] nothing waits to be sent
    [one] 1 change not on any other peer yet
   *[other] { $n } changes not on any other peer yet
}
sync-age = What you see is { $age } old
sync-peer-here = connected, { $path }
sync-peer-gone = last seen { $age } ago
sync-peer-never = never seen
sync-peer-none = No peer is known yet. Share a System or join one.
peer-relay = Relay
peer-agent = Agent
peer-device = Device
share-title = Share “{ $system }”
share-explain = Whoever has this invitation can { $what } this System, its notes and timeline until { $end }. You can revoke it before.
share-read = read
share-write = read and change
share-for = for { $n } hours
share-make = Make invitation
share-once = Works once, within 24 hours. Send it over a channel that you trust.
share-copied = Copied
new-system-title = New System
new-system-name = Title
new-system-category = Category
new-system-purpose = What is it for?
start-title = An operations workspace that is yours
start-text = Systems, notes, checks and timelines of your team: signed, sealed, on your own disk, replicated between you.
start-create = Create a workspace
start-create-hint = Begin alone; invite others later.
start-join = Join with an invitation
start-join-hint = Paste the text that somebody gave you.
start-demo = Look at the demo
start-demo-hint = A small organisation on this machine; nothing leaves it.
start-name = Your name, as others see it
start-invitation = Invitation
demo-bar = Demo: one relay, one agent that observes this machine, two people
demo-stop-relay = Stop relay
demo-start-relay = Start relay
demo-relay-on = relay is running
demo-relay-off = relay is stopped: you are on your own
theme-toggle = Light or dark
age-now = just now
age-seconds = { $n } s
age-minutes = { $n } min
age-hours = { $n } h
age-days = { $n } d
error-title = This did not work
opening = Opening the workspace…
