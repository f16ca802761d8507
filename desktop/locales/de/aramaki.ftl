app-name = Aramaki
nav-overview = Übersicht
nav-timeline = Zeitleiste
nav-systems = Meine Systeme
search-hint = Systeme, Notizen, Befehle suchen …
palette-none = Kein Treffer. Versuche ein kürzeres Wort.
status-ok = OK
status-warning = Warnung
status-unknown = Unbekannt
status-critical = Kritisch
status-missing = Nicht beobachtet
overview-title = Übersicht
overview-empty = Noch keine Systeme
overview-empty-hint = Lege an, was euer Team betreibt, oder tritt per Einladung einem Arbeitsbereich bei.
overview-uncategorised = Sonstige
overview-all-well = alle Prüfungen bestanden
overview-nothing-observed = hier wird nichts beobachtet
overview-raw = roher Zustand
overview-parts = { $n ->
    [one] 1 Teil
   *[other] { $n } Teile
}
overview-not-shared = { $n ->
    [one] 1 Teil nicht geteilt
   *[other] { $n } Teile nicht geteilt
}
action-new-system = Neues System
action-share = Teilen …
action-create = Anlegen
action-cancel = Abbrechen
action-close = Schließen
action-copy = Kopieren
action-back = Zurück
action-new-note = Neue Notiz
system-status = Jetzt
system-since = seit { $time } ({ $age })
system-why = Warum
system-rules = Was darf ich anfassen?
system-contacts = Wen rufe ich an?
system-dashboards = Dashboards
system-parts = Teile
system-part-of = Teil von
system-checks = Prüfungen
system-notes = Notizen
system-timeline = Was war los
system-agents = Agenten
system-none-rules = Keine Regeln notiert. Frag, bevor du etwas anfasst.
system-none-contacts = Niemand ist notiert.
system-none-parts = Keine Teile.
system-none-checks = Dieses System selbst wird nicht geprüft.
system-none-notes = Keine Notizen.
system-none-timeline = Noch ist nichts geschehen.
system-history = { $n } Tage
check-last-ok = zuletzt OK { $time }
check-never-ok = nie OK gesehen
check-flapping = wechselt zu oft
check-handled-ack = bestätigt
check-handled-silence = stummgeschaltet
touch-freely = Ohne Fragen
touch-ask = Erst fragen
touch-escalate = Eskalieren
part-not-shared = nicht mit dir geteilt
timeline-title = Zeitleiste
timeline-count = { $n ->
    [one] 1 Eintrag
   *[other] { $n } Einträge
}
event-agent-started = Agent auf { $host } gestartet ({ $version })
event-agent-stopped = Agent beendet
event-claim = arbeitet daran: { $text }
event-acknowledged = bestätigt: { $text }
event-newer = ein Eintrag einer neueren Version ({ $n } Bytes)
note-title = Notiz
note-saved = auf dieser Platte
note-hint = Schreib hier. Alle, die dieses System lesen dürfen, lesen mit.
sync-online = { $n ->
    [one] 1 Peer
   *[other] { $n } Peers
}
sync-offline = Offline
sync-disk = Auf dieser Platte
sync-disk-value = alles, was du siehst und geschrieben hast
sync-pending = { $n ->
    [0] nichts wartet aufs Senden
    [one] 1 Änderung noch bei keinem anderen Peer
   *[other] { $n } Änderungen noch bei keinem anderen Peer
}
sync-age = Was du siehst, ist { $age } alt
sync-peer-here = verbunden, { $path }
sync-peer-gone = zuletzt vor { $age } gesehen
sync-peer-never = nie gesehen
sync-peer-none = Noch kein Peer bekannt. Teile ein System oder tritt einem bei.
peer-relay = Relay
peer-agent = Agent
peer-device = Gerät
share-title = „{ $system }“ teilen
share-explain = Wer diese Einladung hat, kann dieses System, seine Notizen und Zeitleiste bis { $end } { $what }. Du kannst sie vorher zurückziehen.
share-read = lesen
share-write = lesen und ändern
share-for = für { $n } Stunden
share-make = Einladung erstellen
share-once = Gilt einmal, innerhalb von 24 Stunden. Sende sie über einen Weg, dem du vertraust.
share-copied = Kopiert
new-system-title = Neues System
new-system-name = Titel
new-system-category = Kategorie
new-system-purpose = Wozu dient es?
start-title = Ein Arbeitsbereich für den Betrieb, der euch gehört
start-text = Systeme, Notizen, Prüfungen und Zeitleisten eures Teams: signiert, versiegelt, auf eurer Platte, untereinander repliziert.
start-create = Arbeitsbereich anlegen
start-create-hint = Fang allein an; lade andere später ein.
start-join = Mit Einladung beitreten
start-join-hint = Füge den Text ein, den dir jemand gab.
start-demo = Demo ansehen
start-demo-hint = Eine kleine Organisation auf diesem Rechner; nichts verlässt ihn.
start-name = Dein Name, wie andere ihn sehen
start-invitation = Einladung
demo-bar = Demo: ein Relay, ein Agent, der diesen Rechner beobachtet, zwei Personen
demo-stop-relay = Relay anhalten
demo-start-relay = Relay starten
demo-relay-on = Relay läuft
demo-relay-off = Relay ist angehalten: du bist auf dich gestellt
theme-toggle = Hell oder dunkel
age-now = gerade eben
age-seconds = { $n } s
age-minutes = { $n } min
age-hours = { $n } h
age-days = { $n } T
error-title = Das hat nicht geklappt
opening = Arbeitsbereich wird geöffnet …
