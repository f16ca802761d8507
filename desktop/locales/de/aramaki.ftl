app-name = Aramaki
nav-overview = Übersicht
nav-timeline = Zeitleiste
nav-systems = Meine Systeme
search-hint = Systeme, Notizen, Seiten suchen …
search-keys = Strg+K
palette-none = Kein Treffer. Versuche ein kürzeres Wort.
status-ok = OK
status-warning = Warnung
status-unknown = Unbekannt
status-critical = Kritisch
status-missing = Nicht beobachtet
status-in-hand = { $state }, in Arbeit
overview-title = Übersicht
overview-empty = Noch keine Systeme
overview-empty-hint = Lege an, was euer Team betreibt, oder tritt per Einladung einem Arbeitsbereich bei.
overview-uncategorised = Sonstige
overview-all-well = alle Prüfungen bestanden
overview-unseen = noch kein Ergebnis: { $words }
overview-agent-missed = Agent nicht mehr zu hören: { $words }
overview-silent = nicht mehr zu hören; zuletzt: { $words }
overview-stands = nicht mehr zu hören; zuletzt gehört { $time }: { $words }
overview-nothing-observed = hier wird nichts beobachtet
overview-raw = vor der Bestätigung
overview-parts = { $n ->
    [one] 1 Teil
   *[other] { $n } Teile
}
overview-not-shared = { $n ->
    [one] 1 Teil nicht geteilt
   *[other] { $n } Teile nicht geteilt
}
action-join = Beitreten…
join-what = Einladung, oder der Pfad einer Datei, die dir jemand gab
action-new-system = Neues System
action-share = Teilen …
action-create = Anlegen
action-cancel = Abbrechen
action-close = Schließen
action-copy = Kopieren
action-new-note = Neue Notiz
system-status = Jetzt
system-since = seit { $time } · { $age }
system-as-of = Stand { $time } · { $age }, seither nicht gehört
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
system-services = Dienste
system-none-services = Kein Agent meldet einen Dienst: [[service]] in seiner agent.toml tut das.
system-desired = Gewünscht
services-more = { $n ->
    [one] noch einer
   *[other] noch { $n }
}
service-stale = zuletzt gehört { $age }: hier lief er zuletzt
service-unheard = hier nie gehört
service-conflict-places = mehrere Rechner melden ihn, er läuft nur an einem Ort
service-conflict-endpoint = ein anderer Rechner meldet dieselbe Adresse
system-none-rules = Keine Regeln notiert. Frag, bevor du etwas anfasst.
system-none-contacts = Niemand ist notiert.
system-none-checks = Dieses System selbst wird nicht geprüft.
system-none-notes = Keine Notizen.
system-on-call = Bereitschaft: { $schedule }
system-on-call-until = { $who } bis { $end }
system-on-call-nobody = noch niemand
system-none-timeline = Noch ist nichts geschehen.
system-history = { $n } Tage
history-unknown = nichts bekannt
history-unknown-days = von { $n ->
    [one] 1 Tag
   *[other] { $n } Tagen
} ist nichts bekannt
history-unknown-of = von { $span } ist nichts bekannt
history-changes = { $n ->
    [one] 1 Wechsel
   *[other] { $n } Wechsel
}
check-last-ok = zuletzt OK { $time }
check-never-ok = nie OK gesehen
check-off = aus
check-attempt = { $raw }, Versuch { $attempt } von { $attempts }, war { $hard }
event-attempt = Versuch { $attempt } von { $attempts }
check-flapping = wechselt zu oft
check-runbook = Runbook
check-runbook-of = Runbook von { $check }
check-runbook-page = Diese Seite öffnen…
check-runbook-missing = Keine Notiz dieses Systems heißt { $title }. Bitte eine der Art Runbook mit diesem Titel schreiben.
check-about = über { $what }
system-for-others = Beobachtet für andere
system-observers = Von anderen Systemen aus gesehen
seen-from = gesehen von { $system }, { $agent }
seen-from-hidden = gesehen von { $system }, dessen Agenten nicht mit dir geteilt sind
other-counts = zählt dort
other-not-let = zählt nirgends: es lässt dieses System nicht beobachten
observer-checks = { $n ->
    [one] 1 Prüfung
   *[other] { $n } Prüfungen
}
observer-hidden = Was ein System sieht, das nicht mit dir geteilt ist, ist hier nicht bekannt; darum steht dieses nicht als OK da.
observer-none = Nur seine eigenen Agenten sagen, wie es ihm geht.
observer-add = Anderes System beobachten lassen…
observer-end = Beenden…
observer-end-of = Beenden, dass { $from } beobachtet…
observer-title = Wer beobachtet { $system }?
observer-which = Das andere System: ein Teil seines Titels oder eine ganze Space-Kennung
observer-label = Wie es für die heißt, die es nicht lesen können
observer-nothing = Hier heißt kein System so. Eines, das hier nicht gelesen werden kann, wird mit seiner ganzen Space-Kennung genannt.
observer-half-here = { $system } sagt: Agenten von { $from } dürfen beobachten
observer-half-here-hint = Das schreibt der Knopf. Es ist Vertrauen in die Leute von { $from }: wer dort schreibt, sagt, welche Prüfungen das sind. Wer { $system } schreiben darf, kann es beenden.
observer-half-there = { $from } sagt: diese Prüfung ist über { $system }
observer-counts-then = Das sagt es schon. Von da an zählen für { $system }:
observer-no-check = Noch sagt das keine Prüfung von { $from }, und solange zählt nichts. Wer { $from } schreiben darf, fügt einer Prüfung in ihrer Datei diese Zeile hinzu:
observer-unknown = { $from } ist nicht mit dir geteilt; darum ist hier nicht bekannt, was seine Agenten sehen, und { $system } steht nicht als OK da. Seine Leute fügen einer Prüfung in ihrer Datei diese Zeile hinzu:
observer-more = { $n ->
    [one] und eine weitere
   *[other] und { $n } weitere
}
observer-may-not = Du darfst dieses System lesen, nicht ändern: wer es schreiben darf, kann ein anderes beobachten lassen.
observer-full = So viele Systeme wie möglich beobachten dieses schon: zuerst eines davon beenden.
observer-let = Beobachten lassen
observer-let-of = Bei { $system } zählen lassen…
observer-end-title = Beenden, wer { $system } beobachtet?
observer-end-what = Was Agenten von { $from } von { $system } sehen, zählt dort nicht mehr: diese Prüfungen und die Alarme, die aus ihnen folgen, verschwinden daraus. Bei { $from } bleiben sie.
observer-end-do = Beenden
check-handled-ack = bestätigt
check-handled-silence = stummgeschaltet
check-handled-maintenance = in Wartung
check-handled-offline = offline, wie erlaubt
agent-offline = offline, zuletzt gehört { $age }
agent-never-heard = noch nie gehört: Der Rechner ist nicht beigetreten oder erreicht niemanden
agent-not-shared = hier nicht lesbar
touch-freely = Ohne Fragen
touch-ask = Erst fragen
touch-escalate = Eskalieren
part-not-shared = nicht mit dir geteilt
system-gone = Dieses System ist nicht mit diesem Gerät geteilt.
timeline-title = Zeitleiste
timeline-count = { $n ->
    [one] 1 Eintrag
   *[other] { $n } Einträge
}
timeline-all = Alles
timeline-state = Zustände ({ $n })
timeline-deployment = Deployments ({ $n })
timeline-action = Aktionen ({ $n })
timeline-said = Worte ({ $n })
timeline-care = Bestätigt und übernommen ({ $n })
timeline-quiet = Stumm und Wartung ({ $n })
timeline-told = Benachrichtigungen ({ $n })
timeline-access = Zugänge ({ $n })
timeline-agent = Agenten ({ $n })
timeline-newer = Von neueren Programmen ({ $n })
timeline-words = Worte oder ein System
timeline-none = Nichts dieser Art ist hier.
timeline-entry-gone = Dieser Eintrag ist nicht unter denen, die hier stehen: Er ist älter, oder sein System ist mit diesem Gerät nicht geteilt.
timeline-system = Von { $title } und seinen Teilen ×
timeline-earlier = Frühere Einträge
timeline-verb = Älteres: aramaki timeline --since
system-timeline-all = Diese Zeitleiste ganz
alert-back = Weiter zurück schauen
draft-handover = Übergabe entwerfen
draft-handover-hint = Eine Notiz der letzten acht Stunden: was gestört ist und wer es hat, was geändert und gesagt wurde, was stumm ist. Du vollendest sie.
draft-handover-title = Übergabe { $at }
draft-post-mortem = Nachlese entwerfen
draft-post-mortem-hint = Eine Notiz dessen, was von einer Stunde davor bis zum Ende auf den Zeitleisten steht. Du vollendest sie.
draft-post-mortem-title = Nachlese { $at }
draft-open = Noch gestört
draft-over = War gestört und ist vorbei
draft-changed = Geändert
draft-said = Gesagt
draft-quiet = Stumm und in Wartung
draft-nothing = Nichts.
draft-more = Es kann mehr geben, als ein Entwurf aufnimmt: `aramaki timeline --since` hat alles.
draft-since = seit
draft-until = bis
draft-told = gesagt wurde es
draft-known = bekannt war es
draft-heard = wieder gehört bis
draft-unheard = seither wurde nichts gehört
draft-gone = nicht mehr beobachtet seit
draft-no-result = kein frisches Ergebnis
draft-last-result = das letzte war
draft-silent = Agent nicht zu hören
draft-nameless = eine Prüfung oder ein Agent, entfernt
draft-next = Als Nächstes zu tun
draft-happened = Was geschah
draft-hit = Wen es traf
draft-why = Warum
draft-follows = Was daraus folgt
draft-timeline = Zeitleiste
draft-alert = Alarm
event-agent-started = Agent auf { $host } gestartet ({ $version })
event-agent-stopped = Agent beendet
event-agent-removed = Agent { $name } wurde entfernt
event-silenced = stellte { $what } stumm bis { $end }: { $reason }
event-silenced-until-resolved = stellte { $what } stumm, bis es vorbei ist, längstens bis { $end }: { $reason }
event-silence-ended = hob die Stille für { $what } vorzeitig auf: { $reason }
event-silence-resolved = die Stille für { $what } endete mit den Problemen: { $reason }
event-silence-ran-out = die Stille für { $what } lief ab: { $reason }
event-maintenance = plante Wartung von { $begin } bis { $end }: { $reason }
event-maintenance-again = plante Wartung von { $begin } bis { $end }, immer wieder: { $reason }
event-maintenance-opened = Wartung begann, bis { $end }: { $reason }
event-maintenance-ended = nahm die Wartung von { $begin } bis { $end } zurück: { $reason }
event-maintenance-over = die Wartung seit { $begin } ist vorbei: { $reason }
event-quiet-all = alles
event-quiet-subtree = alles und was Teile melden
event-quiet-gone = einen entfernten Check
event-quiet-family = Probleme wie „{ $family }“
event-quiet-agent = dass { $name } nicht gehört wird
event-quiet-muted = { $n ->
    [one] 1 Problem blieb stumm
   *[other] { $n } Probleme blieben stumm
}
was-observed = wurde bis { $time } von { $name } beobachtet
place-entry = Zeigt diesen Eintrag auf der Zeitleiste
place-alert = Öffnet diesen Alarm
event-note = schrieb in der Notiz „{ $title }“
event-deployed = { $what } ausgerollt
event-claim = arbeitet daran: { $text }
event-desired-done = { $path }: { $action } ist erledigt
event-desired-again = { $path }: { $action } ist gescheitert und wird wiederholt: { $text }
event-desired-failed = { $path }: { $action } ist gescheitert und wurde aufgegeben: { $text }
event-told = hat { $who } über { $target } benachrichtigt: { $text }
event-not-told = hat { $who } über { $target } nicht erreicht: { $text }
event-told-perhaps = hat { $who } über { $target } vielleicht erreicht: { $text }
event-telling = benachrichtigt gerade { $who } über { $target }: { $text }
event-withdrawal = nahm zurück, was bestätigt oder übernommen war
event-withdrawal-because = nahm zurück, was bestätigt oder übernommen war: { $text }
event-acknowledged = bestätigt: { $text }
event-access-given = { $name } { $may } bis { $end }
event-access-ended = der Zugang von { $name } wurde beendet
event-access-ended-why = der Zugang von { $name } wurde beendet: { $reason }
event-access-expired = der Zugang von { $name } endete von selbst
event-two-histories = { $name } hat zwei Verläufe unterschrieben: aus einer Kopie wiederhergestellt, oder der Schlüssel ist in zwei Händen
event-newer = ein Eintrag einer neueren Version ({ $n } Bytes)
note-title = Notiz
note-waits = noch nicht auf dieser Platte
note-here = nur auf dieser Platte
note-saved = auf dieser Platte und anderswo
note-read-only = du darfst diese Notiz lesen
note-gone = Diese Notiz ist nicht mehr hier.
note-hint = Schreib hier. Alle, die dieses System lesen dürfen, lesen mit.
sync-online = { $n ->
    [one] 1 Peer
   *[other] { $n } Peers
}
sync-no-relay = Relay weg
sync-over-quota = ein Kontingent ist erreicht
sync-over-quota-at = { $peer } nimmt nichts mehr von { $system }: ein Kontingent dort ist erreicht. Was hier geschrieben wird, bleibt hier und geht von selbst dorthin, sobald es genommen wird; frag, wer es betreibt.
sync-offline = Offline
sync-disk = Auf dieser Platte
sync-disk-value = Alles, was du siehst und geschrieben hast
sync-pending = { $n ->
    [0] Alles, was du geschrieben hast, ist auch bei einem anderen Peer
    [one] 1 Änderung noch bei keinem anderen Peer
   *[other] { $n } Änderungen noch bei keinem anderen Peer
}
sync-age = Zuletzt Neues von anderen: { $age }
sync-peer-here = verbunden, { $path }
sync-peer-gone = zuletzt gesehen { $age }
sync-peer-never = nie direkt mit diesem Gerät verbunden
sync-peer-none = Noch ist kein anderes Gerät bekannt. Teile ein System oder tritt einem bei.
peer-relay = Relay
peer-agent = Agent
peer-device = Gerät
share-title = „{ $system }“ teilen
share-explain = Wer diese Einladung hat, kann dieses System, seine Notizen und Zeitleiste bis { $end } { $what }. Du kannst sie vorher zurückziehen.
share-explain-later = Wer diese Einladung hat, kann dieses System, seine Notizen und Zeitleiste von { $begin } bis { $end } { $what }, nicht vorher. Du kannst sie vorher zurückziehen.
share-from = Ab wann (freiwillig): 18:00, 2026-12-24 18:00 oder 3h
share-from-unreadable = Das ist keine Zeit. Das nächste 18:00, 2026-12-24 18:00, oder 3h für in drei Stunden.
share-from-passed = { $at } ist vorbei. Leer lassen, damit es sofort gilt.
share-from-code = Was später beginnt, wird nur als Code weitergegeben: jemand, der verwaltet, muss dann oder danach online sein.
share-read = lesen
share-write = lesen und ändern
share-comment = lesen und kommentieren
share-uses = Für wie viele Geräte
share-hours-typed = oder
share-hours = { $n ->
    [one] 1 Stunde
   *[other] { $n } Stunden
}
share-days = { $n ->
    [one] 1 Tag
   *[other] { $n } Tage
}
share-lasts = Wie lange
trust-invitation-to = Einladung für { $name }
share-to = Für wen (andere sehen es)
share-may = Darf
share-make = Einladung erstellen
share-times = { $n ->
    [one] einmal
   *[other] für { $n } Geräte
 }
share-once = Gilt { $times }, bis { $end }. Sende sie über einen Weg, dem du vertraust.
share-once-later = Gilt { $times }, von { $begin } bis { $end }. Man kann sie vorher benutzen: dann wartet das andere Gerät und wird eingelassen, sobald zu dieser Zeit oder danach jemand online ist, der verwaltet. Sende sie über einen Weg, dem du vertraust.
share-without-relay = Kein Relay bewahrt dieses System auf: Beitreten geht nur, während dieses Gerät online ist.
share-copied = Kopiert. In der Zwischenablage liegt jetzt ein Geheimnis.
share-by = Weitergeben als
share-by-code = Code
share-by-inline = Code ohne Netz
share-by-file = Datei…
share-path = Neue Datei (geheim: sie lässt ein, wer sie hat)
share-inline-explain = Für jemanden, der niemanden erreicht: ein langer Code, der die Berechtigungen mitbringt. Was das System sagt, kommt später, über das Netz oder in einer Datei.
share-once-offline = Gilt { $times }, bis der Zugang endet, auch ohne Netz. Nur über einen Weg senden, dem man traut.
share-saved = Gespeichert als { $file }. Gilt { $times }, bis der Zugang endet, ohne Netz: auf dem anderen Rechner mit dieser Datei beitreten. Was dort geschrieben wird, kommt mit „aramaki carry“ und „aramaki take“ zurück, oder über das Netz.
new-system-title = Neues System
new-system-name = Titel
new-system-category = Kategorie
new-system-purpose = Wozu dient es?
start-title = Ein Arbeitsbereich für den Betrieb, der euch gehört
start-text = Systeme, Notizen, Prüfungen und Zeitleisten eures Teams: signiert, versiegelt, auf eurer Platte, untereinander repliziert.
start-create = Arbeitsbereich anlegen
start-create-hint = Fang allein an; lade andere später ein.
start-join = Mit Einladung beitreten
start-join-hint = Füge den Text ein, den dir jemand gab, oder den Pfad einer Datei.
start-demo = Demo ansehen
start-demo-hint = Eine kleine Organisation auf diesem Rechner; nichts verlässt ihn.
start-name = Dein Name, wie andere ihn sehen
start-invitation = Einladung
start-kit-hint = Das Wiederherstellungs-Kit kann ein gestohlenes Gerät ersetzen. Eine Passphrase versiegelt es; die Datei gehört an einen Ort ohne Netz.
start-kit-none = Ohne Kit kann, wer dieses Gerät stiehlt, beenden, was hier angelegt wird, und nichts macht das ungeschehen.
start-kit-file = Wiederherstellungs-Kit: eine neue Datei
start-kit-passphrase = Passphrase des Kits, mindestens 12 Zeichen
start-kit-again = Die Passphrase noch einmal
start-kit-without = Ohne Wiederherstellungs-Kit
start-kit-no-file = Das Kit braucht eine Datei.
start-kit-short = Die Passphrase braucht 12 Zeichen.
start-kit-differs = Die zweite Passphrase ist eine andere.
devices-no-kit = Es gibt kein Wiederherstellungs-Kit: Wer dieses Gerät stiehlt, kann beenden, was hier angelegt wurde, und nichts macht das ungeschehen. Ein Kit entsteht mit einem Arbeitsbereich.
demo-bar = Demo: ein Relay, Agenten, die diesen Rechner beobachten, zwei Personen
demo-stop-relay = Relay anhalten
demo-start-relay = Relay starten
demo-relay-on = Relay läuft
demo-relay-off = Relay ist angehalten: du bist auf dich gestellt
age-now = gerade eben
age-seconds = { $n } s
age-minutes = { $n } min
age-hours = { $n } h
age-days = { $n } T
problem-setting = Eine Einstellung ist nicht brauchbar
problem-setting-hint = Berichtige sie; geändert wurde nichts.
problem-file = Eine Datei ist nicht brauchbar
problem-file-hint = Prüfe den Pfad und wem sie gehört. Wo eine neue Datei angelegt wird, darf noch keine sein: nichts wird überschrieben.
problem-invitation = Die Einladung ist nicht brauchbar
problem-invitation-hint = Kopiere den ganzen Code noch einmal oder bitte um einen neuen.
problem-refused = Das wurde abgelehnt
problem-refused-hint = Die Vertrauensseite des Systems sagt, wer was darf.
problem-store = Der Arbeitsbereich lässt sich nicht öffnen
problem-store-hint = Die Einzelheit sagt, warum. Was gespeichert war, ist noch da.
problem-write = Die Änderung wurde nicht gespeichert
problem-write-hint = Schaffe Platz auf der Platte. Was vorher gespeichert war, ist sicher.
problem-nobody = Niemand hat geantwortet
problem-nobody-hint = Versuche es wieder, wenn ein Relay oder ein Mitglied erreichbar ist.
problem-demo = Die Demo ist gescheitert
problem-demo-hint = Beende sie und starte sie neu.
problem-passphrase = Der Schlüssel lässt sich nicht öffnen
problem-passphrase-hint = Versuche die Passphrase noch einmal.
problem-waits = Dieses Gerät wartet darauf, angenommen zu werden
problem-waits-hint = Nimm es auf dem Gerät an, das den Code gemacht hat; dann hier noch einmal. Es wurde nichts angelegt: niemand sonst hätte es gesehen.
problem-other = Das hat nicht geklappt
problem-other-hint = Die Einzelheit sagt, warum.
opening = Arbeitsbereich wird geöffnet …
opening-taken = Ein anderes Programm arbeitet in diesem Arbeitsbereich
opening-taken-hint = Dieses Fenster öffnet sich von selbst, sobald das Programm ihn freigibt.
overview-attention = Braucht Aufmerksamkeit
overview-unobserved = Noch wird nichts beobachtet. Ein Agent beobachtet ein System: aramaki agent invite SYSTEM --name NAME
overview-calm = Nichts verlangt nach jemandem.
overview-acknowledged = { $n ->
    [one] 1 bestätigt
   *[other] { $n } bestätigt
}
overview-quiet = { $n ->
    [one] 1 stumm oder erwartet
   *[other] { $n } stumm oder erwartet
}
overview-well = Alles, was beobachtet wird, ist OK.
overview-filter-none = Kein System ist in diesem Zustand.
overview-show-all = Alle zeigen
nav-peers = Geräte und Agenten
action-undo = Rückgängig (Strg+Z)
action-redo = Wiederholen (Strg+Umschalt+Z)
sync-agents = { $n ->
    [one] 1 Agent
   *[other] { $n } Agenten
}
sync-agents-connected = { $n ->
    [0] keiner verbunden
   *[other] { $n } verbunden
}
sync-show-peers = Alle Geräte und Agenten zeigen
peer-here = Dieses Gerät
peer-recovery = Wiederherstellung
devices-title = Deine Geräte
devices-add = Gerät hinzufügen …
devices-add-title = Eigenes Gerät hinzufügen
devices-add-explain = Füge diesen Code auf der ersten Seite des anderen Geräts ein, oder nimm „aramaki device join“. Es wartet dann hier, bis du es annimmst. Der Code gilt bis { $end } und gibt für sich allein nichts.
devices-once = Gilt einmal. Nimm ihn nur auf einem eigenen Gerät.
devices-making = Der Code entsteht …
devices-here = Dieses Gerät
devices-here-waits = Dieses Gerät wartet
devices-here-waits-hint = Nimm es auf dem Gerät an, das den Code gemacht hat: vergleiche dort diesen Schlüssel.
devices-yours = Deins
devices-waits = Wartet auf dich
devices-waits-hint = Vergleiche den Schlüssel mit dem, den das andere Gerät zeigt. Angenommen darf es alles, was dieses Gerät darf.
devices-beyond = { $n ->
    [one] Ginge es verloren, braucht ein System oder Agent das Wiederherstellungs-Kit, um seinen Zugang zu beenden: „aramaki recover“. Alles andere wird hier beendet.
   *[other] Ginge es verloren, brauchen { $n } Systeme und Agenten das Wiederherstellungs-Kit, um seinen Zugang zu beenden: „aramaki recover“. Alles andere wird hier beendet.
}
devices-beyond-for-good = { $n ->
    [one] Ginge es verloren, könnte nichts seinen Zugang zu einem System oder Agenten beenden: es gibt kein Wiederherstellungs-Kit. Alles andere wird hier beendet.
   *[other] Ginge es verloren, könnte nichts seinen Zugang zu { $n } Systemen und Agenten beenden: es gibt kein Wiederherstellungs-Kit. Alles andere wird hier beendet.
}
devices-accept = Annehmen
devices-accept-key = Das Gerät { $key } annehmen
peers-title = Geräte und Agenten
peers-count = { $n ->
    [one] 1 bekannt
   *[other] { $n } bekannt
}
peers-equal-rank = { $who } melden mit Rang { $rank } für { $system }: Jeder von ihnen meldet alles, man hört es also mehrfach. Gib jedem einen eigenen Rang in seiner notify.toml.
peers-equal-open = { $system } öffnen
peers-none = Noch ist niemand sonst bekannt
awaited-later = Die Einladung zu { $system } beginnt { $begin }: das System kommt dann von selbst, wenn bis { $end } jemand zu erreichen ist, der es hat.
awaited-live = Warten auf { $system }: es kommt, sobald jemand erreichbar ist, der es hat, bis { $end }.
awaited-ended = Die Einladung zu { $system } endete { $end } ungenutzt. Um eine neue bitten.
awaited-spent = Die Einladung zu { $system } wurde widerrufen oder ist verbraucht. Um eine neue bitten.
awaited-give-up = Aufgeben
peers-heartbeat = Lebenszeichen { $age }
peers-observes = beobachtet { $system }
peers-version = Version { $version }
peers-until = { $may } bis { $end }
peers-spaces = { $n ->
    [one] in 1 Space
   *[other] in { $n } Spaces
}
peers-no-grant = keine Erlaubnis hier
may-relay = bewahrt auf, was es nicht lesen kann
may-read = liest
may-comment = liest und kommentiert
may-write = liest und ändert
may-administer = verwaltet
trust-title = Wer darf das lesen
trust-explain = Eine Erlaubnis ist ein signiertes Wort und endet von selbst. Relays bewahren auf und reichen weiter, was sie nicht lesen können.
trust-mine = Du: { $may }
trust-mine-none = Du hast hier keine Erlaubnis mehr.
trust-ended-elsewhere = Ein anderes Mitglied sagt, dass dein Zugang beendet ist. Was du hier siehst, kann alt sein, und was du schreibst, erreicht niemanden.
trust-awaits-key = Was hier zuletzt geschrieben wurde, ist noch nicht zu lesen: Der Schlüssel kommt von selbst, sobald jemand verbunden ist, der ihn hat. Kommt er nicht, bitte jemanden, der verwaltet, Aramaki zu öffnen.
trust-clock-ahead = Die Uhr dieses Geräts geht mindestens { $by } gegenüber der Uhr derer vor, die dieses System aufbewahren: Was du hier zuletzt geschrieben hast, zählt für niemanden sonst vor { $then } nach deren Uhr. Stelle die Uhr richtig.
trust-two-histories = { $name } hat zwei Verläufe unterschrieben: aus einer Kopie wiederhergestellt, oder der Schlüssel ist in zwei Händen. Was kein Relay davon sah, zählt nicht. Nachfragen; ist die Kopie nicht von dort, den Zugang beenden.
trust-since = seit { $begin } · bis { $end }
trust-root = durch den Schlüssel des Systems
trust-through = erlaubt von { $name }
trust-invited = eingeladen von { $name }
trust-more = { $n ->
    [one] und 1 weitere
   *[other] und { $n } weitere
}
trust-show = Alle zeigen
trust-over = vorbei: jemand, der damit kam, wurde weggeschickt
trust-used = benutzt, lässt niemanden mehr ein
trust-seen = verbunden { $age }
trust-soon = Endet innerhalb von drei Tagen. Wer ihn noch braucht, sollte ihn neu bekommen.
trust-end = Zugang beenden …
trust-end-name = Zugang von { $name } beenden
trust-lost = Verloren…
trust-lost-name = { $name } ging verloren: alles beenden
trust-end-title = Zugang von { $name } beenden
trust-end-here = In diesem System
trust-end-everywhere = Überall: das Gerät ging verloren
trust-end-looking = Es wird nachgesehen, was das beenden würde …
trust-end-explain = Was gelesen wurde, lässt sich nicht zurückholen. Was ab jetzt geschrieben wird, ist nur für die anderen versiegelt. Das lässt sich nicht rückgängig machen: Zugang wird stattdessen neu gegeben.
trust-end-do = Zugang beenden
trust-end-from-start = Nichts gelten lassen, was hier je von dort geschrieben wurde
trust-end-stays = Was bis jetzt geschrieben wurde, bleibt.
trust-end-gone = { $n ->
    [one] Eine geschriebene Änderung wird nicht mehr gelten.
   *[other] { $n } geschriebene Änderungen werden nicht mehr gelten.
}
trust-end-built-on = { $n ->
    [one] Eine gilt weiter: andere haben darauf geschrieben, ehe sie davon wussten.
   *[other] { $n } gelten weiter: andere haben darauf geschrieben, ehe sie davon wussten.
}
trust-end-discarded = { $n ->
    [one] Eine wartende Änderung würde nie mehr gelten: vorher über sie entscheiden.
   *[other] { $n } wartende Änderungen würden nie mehr gelten: vorher über sie entscheiden.
}
trust-end-let-in = Diese hat es hereingelassen. Warst du das? Nimm das Häkchen weg bei allen, die nicht bleiben sollen.
trust-end-kept = { $name } behält einen anderen Zugang: { $may }, bis { $end }. Soll auch der enden, beende ihn gesondert.
trust-end-kept-lost = { $name } behält, was nicht durch das verlorene Gerät kam: { $may }, bis { $end }.
trust-end-code = Der Code, der bis { $until } noch { $left } einließ, lässt von da an niemanden mehr ein. Andere, die mit ihm kamen, bleiben; wer noch kommen soll, braucht einen neuen.
trust-end-stays-in = { $name } bleibt: { $may }, bis { $end }
trust-depth = { $n ->
    [one] kann einmal weitergegeben werden
   *[other] kann über { $n } Glieder weitergegeben werden
}
trust-ends = Endet: { $names }
trust-ends-one = { $name } ({ $may })
trust-ends-why = Endet: { $names }, { $why }
trust-ends-invitation = eine Einladung des verlorenen Geräts
trust-ends-more = mehr als ohne das verlorene Gerät
trust-ends-administrator = vom verlorenen Gerät, oder einem Dieb damit, zum Verwalten eingelassen
trust-ends-named = hier abgewählt
trust-ends-below = eingelassen von jemandem, dessen Zugang endet
trust-beyond = Bleibt, denn das muss eine andere Verwalterin oder das Wiederherstellungs-Kit beenden: { $names }
trust-late-count = { $n ->
    [one] 1 Änderung
   *[other] { $n } Änderungen
}
trust-late = Nach dem Ende des Zugangs kam von { $name }: { $count }, zuletzt datiert { $last }.
trust-late-redeemed = Über einen schon verbrauchten Code kam von { $name }: { $count }, zuletzt datiert { $last }.
trust-late-redeemed-late = Über einen zu spät eingelösten Code kam von { $name }: { $count }, zuletzt datiert { $last }.
trust-late-future = In die Zukunft datiert, eine Uhr geht also falsch, kam von { $name }: { $count }, zuletzt datiert { $last }.
trust-late-fork = Auf der zweiten von zwei Geschichten, die nicht gilt, kam von { $name }: { $count }, zuletzt datiert { $last }.
trust-late-missing = Es fehlt noch etwas zu dem, was von { $name } kam: { $count }, zuletzt datiert { $last }.
left-out-title = { $n ->
    [one] Eines wurde hier ausgelassen
   *[other] { $n } Dinge wurden hier ausgelassen
 }
left-out-refused = Eine Änderung, die das Programm ablehnt: zu groß, zu tief geschachtelt oder fehlerhaft.
left-out-kind = Ein Dokument anderer Art, als sein Name sagt.
left-out-unreadable = Ein Teil eines Dokuments, der nicht zu lesen ist.
left-out-waiting = Änderungen, die auf andere warten, die nicht hier sind.
left-out-foreign = Einträge im Raum eines Agenten, die er nicht geschrieben hat.
left-out-snapshot = Ein Zwischenstand enthält, was er nicht soll; was gilt, kam von anderswo.
left-out-other = Etwas, das erst ein neueres Programm benennen kann.
left-out-more = Mehr sagt aramaki trust held.
trust-undecided = { $count } in { $system } warten auf eine Entscheidung und gelten bis dahin nicht.
trust-undecided-open = Vertrauen von { $system } ansehen
trust-late-explain = Niemand sieht sie, bis eine Verwalterin sie annimmt. Frage nach, ob sie wirklich von dort sind.
trust-late-accept = Annehmen, was hier ist
trust-late-never = Nichts lässt sie gelten. Soll, wer sie schrieb, dabei sein, teile mit einem neuen Code und bitte darum, es noch einmal zu schreiben.
trust-emergency-reads = Wer den Umschlag und seine Passphrase hat, liest hier wortlos mit; zum Schreiben muss man erst sagen, warum, und alle sehen es.
trust-emergency-never = Nie zum Schreiben benutzt.
trust-emergency-used = Zuletzt benutzt { $at }: { $reason }
trust-key = Schlüssel in Worten, zum Vergleichen am Telefon: { $words }
trust-left-out = Was { $name } schrieb, zählt nicht, weil { $closers } diesen Zugang ohne es abgeschlossen hat: { $count }, zuletzt datiert { $last }. Vor dem Ende des Zugangs kam davon hier an: { $here }.
trust-left-out-explain = Ein Abschluss lässt aus, was nicht gesehen wurde. Was hier rechtzeitig ankam, wurde aus Versehen oder mit Absicht ausgelassen. Was später kam, kann falsch datiert sein: frage nach, ob es wirklich von dort ist.
trust-left-out-in-time = Zählen, was rechtzeitig kam
trust-left-out-all = Alles zählen
settings-title = Einstellungen
settings-theme = Farben
settings-language = Sprache
theme-system = Wie das System
theme-light = Hell
theme-dark = Dunkel
language-system = Wie das System
language-en = English
language-de = Deutsch
age-ago = vor { $age }
age-never = auf Weiteres

nav-access = Vertrauen
peer-emergency = Notfallschlüssel
event-emergency = mit dem Notfallschlüssel geöffnet: { $reason }
emergency-banner = NOTFALL in { $system }: { $who } kam { $since } herein und darf bis { $end } bleiben: { $reason }
emergency-here = NOTFALL: Sie sind mit dem Notfallschlüssel in { $system }, bis { $end }: { $reason }
emergency-somebody = jemand mit dem Notfallschlüssel
emergency-end = Vorbei: beenden
access-title = Wer was darf
access-none = Niemand.
trust-renew = Verlängern
trust-renew-name = Zugang von { $name } verlängern
trust-renew-until = Bis jetzt: { $before }. Jetzt verlängert: { $then }.
trust-renew-do = Neu geben
trust-renew-hint = Gibt ihn neu, für so lange, wie er gegeben war.
trust-from = ab { $begin } · bis { $end }
trust-left = lässt bis { $code } noch { $left } ein · sie bleiben bis { $end }
emergency-more = { $n ->
    [one] und ein weiterer Notfall
   *[other] und { $n } weitere Notfälle
}
access-all = Alle ({ $n })
access-soon = Endet bald ({ $n })
access-people = Menschen ({ $n })
access-machines = Agenten und Relays ({ $n })
access-invitations = Einladungen ({ $n })
access-ended = Beendet
access-ends = { $n ->
    [one] 1 Zugang endet innerhalb von 3 Tagen
   *[other] { $n } Zugänge enden innerhalb von 3 Tagen
}
nav-alerts = Alarme
nav-alerts-count = { $n ->
    [one] Alarme, 1 braucht jemanden
   *[other] Alarme, { $n } brauchen jemanden
}
alerts-title = Alarme
alerts-tab-attention = Braucht jemanden ({ $n })
alerts-tab-open = Offen ({ $n })
alerts-tab-resolved = Vorbei ({ $n })
alerts-group = Gruppen: { $by }
alerts-group-none = keine
alerts-group-system = System
alerts-group-family = was gleich ausfällt
alerts-group-age = Alter
alerts-group-owner = wer es hat
alerts-shown = { $n ->
    [one] 1 Alarm, schlimmste zuerst, dann älteste
   *[other] { $n } Alarme, schlimmste zuerst, dann älteste
}
alerts-count = { $n ->
    [one] 1 Alarm
   *[other] { $n } Alarme
}
alerts-selected = { $n } gewählt
alerts-select-none = Nichts wählen
alerts-filter-hint = Filter: severity>=warning system:db NOT silenced:yes opened<2h …
alerts-filter-clear = Filter leeren
alerts-none-match = Kein Alarm passt
alerts-none-match-hint = Der Filter lässt keinen Alarm dieser Liste durch.
alerts-none-attention = Nichts braucht jemanden
alerts-none-but-open = Von allem Offenen weiß jemand, oder es soll still sein.
alerts-none-at-all = Kein Alarm ist offen.
alerts-none-observed = Noch wird nichts beobachtet
alerts-none-resolved = In letzter Zeit ging kein Alarm vorbei
alerts-show-open = Offene zeigen
alerts-owner-nobody = Niemand hat es
alerts-age-hour = kürzer als eine Stunde
alerts-age-day = kürzer als ein Tag
alerts-age-week = kürzer als eine Woche
alerts-age-longer = länger
alerts-claimed-by = { $name } ist dran
alerts-known-to = { $name } weiß es
alerts-follows = folgt aus anderem
alerts-keys = Tasten dieser Seite
keys-move = nächster und voriger
keys-open = seine Seite öffnen
keys-select = wählen, mehrere
keys-select-all = alle gezeigten wählen
keys-acknowledge = bestätigen…
keys-claim = ich bin dran…
keys-silence = stumm schalten…
keys-say = in die Zeitleiste schreiben…
keys-undo = das Letzte zurücknehmen
keys-filter = filtern
keys-escape = nichts wählen, zurück
deed-acknowledge = Bestätigen…
deed-claim = Ich bin dran…
deed-silence = Stumm schalten…
deed-say = Notiz…
deed-title-acknowledge = Bestätigen: { $what }
deed-title-claim = Ich bin dran: { $what }
deed-title-silence = Stumm schalten: { $what }
deed-title-say = Notiz zu { $what }
deed-words-acknowledge = Warum darf es vorerst so bleiben?
deed-words-claim = Was tun Sie?
deed-words-silence = Warum soll es still sein? (nötig)
deed-words-say = Für die Zeitleiste des Systems
deed-do-acknowledge = Bestätigen
deed-do-claim = Übernehmen
deed-do-silence = Stumm schalten
deed-do-say = Schreiben
deed-until-resolved = Bis es vorbei ist
deed-quiet = Was still sein soll
deed-quiet-checks = Diese Prüfungen
deed-quiet-family = Was gleich ausfällt, überall wo es das jetzt tut
deed-quiet-systems = Die ganzen Systeme
deed-quiet-subtrees = Die ganzen Systeme und was ihre Teile dorthin bringen
deed-quiet-labels = Systeme mit bestimmten Etiketten
deed-by-labels = Systeme nach Etiketten stumm schalten…
deed-labels = Welche Etiketten: site=rzob AND NOT stage=test
deed-labels-none = Nennen Sie Etiketten, dann steht hier, was verstummen würde.
deed-labels-fault = Zeichen { $at }: das ist nicht lesbar. Schreiben Sie etikett=wert, dazwischen AND, OR, NOT und ( ).
deed-of-all = Alles von ihnen
deed-of-alike = Was gleich ausfällt
deed-of-named = Prüfungen gleichen Namens
deed-meant = { $n ->
    [one] 1 System ist gemeint.
   *[other] { $n } Systeme sind gemeint.
}
deed-would-mute = { $n ->
    [0] Jetzt würde nichts verstummen.
    [one] Jetzt würde 1 Alarm verstummen:
   *[other] Jetzt würden { $n } Alarme verstummen:
}
deed-known = { $n ->
    [one] Gemeint ist auch 1 Alarm, der schon still ist:
   *[other] Gemeint sind auch { $n } Alarme, die schon still sind:
}
deed-denied = { $n ->
    [one] 1 davon steht in einem System, das Sie nicht ändern dürfen; er bleibt, wie er ist.
   *[other] { $n } davon stehen in Systemen, die Sie nicht ändern dürfen; sie bleiben, wie sie sind.
}
deed-not-yours = Diese dürfen Sie nicht ändern, sie bleiben, wie sie sind: { $names }
deed-too-many = Das meint zu viele Systeme auf einmal.
deed-nothing-meant = Hier gibt es nichts, was dadurch still würde.
alert-gone = Dieser Alarm ist nicht mehr hier
alert-gone-hint = Er ist lange vorbei, oder sein System ist nicht mit diesem Gerät geteilt.
alert-now = Was los ist
alert-lasted = von { $begin } bis { $end }
alert-missing = Von dieser Prüfung kam kein Ergebnis mehr, obwohl ihr Agent zu hören war, als eines fällig war.
alert-silent = Der Agent ist nicht mehr zu hören: Was er beobachtet, ist unbekannt.
cause-title = Warum es so ist
cause-below = Darunter ist etwas kaputt, vielleicht die Ursache
cause-more = Es gibt mehr; die Teile darunter nennen sie.
cause-not-shared = nicht mit diesem Gerät geteilt
cause-rule = wegen seiner Regel: { $rule }
alert-follows = Folgt aus
alert-habit-new = { $n ->
    [one] Gerade passiert: Am Tag davor war alles gut.
   *[other] Gerade passiert: An allen { $n } bekannten Tagen davor war alles gut.
}
alert-habit-unheard = { $n ->
    [one] Von einem Tag davor ist nichts bekannt.
   *[other] Von { $n } Tagen davor ist nichts bekannt.
}
alert-habit-sometimes = Kommt ab und zu vor: an { $bad } von { $days } Tagen davor.
alert-habit-often = Oft kaputt: an { $bad } von { $days } Tagen davor.
alert-habit-long = Seit { $n } Tagen kaputt.
alert-habit-unknown = Von den Tagen davor ist nichts bekannt.
alert-worst = schlimmstens: { $severity }
alert-first-seen = zuerst gesehen { $time }
alert-flaps = { $n }-mal in 90 Tagen
alert-stale = zuletzt gehört { $time }
alert-before = Was sich in der Stunde davor änderte
alert-attempt-same = wie davor
alert-before-none = Nichts, was hier bekannt wäre.
alert-before-ran = { $time }  { $action } auf { $host }: { $words }
alert-evidence = Belege
evidence-all = Alles zeigen ({ $size })
evidence-again = Noch einmal versuchen ({ $size })
evidence-kept-by = { $host } bewahrt auf, was länger ist als dies
evidence-comes = { $host } schickt es: { $len } von { $all }
evidence-stop = Abbrechen
evidence-whole = Alles, { $size }, von { $host }
evidence-hide = Weniger zeigen
evidence-nobody = { $host } antwortet nicht. Vielleicht ist er aus, oder niemand reicht ihm Nachrichten weiter. Was mit dem Alarm kam, steht unten.
evidence-gone = { $host } bewahrt es nicht mehr auf. Was mit dem Alarm kam, steht unten.
evidence-busy = { $host } wurde zuletzt nach zu viel gefragt. In zehn Minuten noch einmal versuchen.
evidence-nobody-readers = { $host } antwortet diesem Gerät nicht, das ihn nur über sein System liest. Vielleicht ist er aus, oder von einer älteren Version, die auf Leser ihres Systems nicht hört. Was mit dem Alarm kam, steht unten.
evidence-may-not-ask = Dieses Gerät liest { $host } nur über sein System, und { $host } hört dieses System noch nicht: sobald ein Gerät online war, das beide verwaltet, wird er es.
evidence-not-allowed = Dieses Gerät darf nicht lesen, was { $host } sagt.
evidence-too-many = Es wird gerade zu viel auf einmal geholt. Gleich noch einmal versuchen.
evidence-too-long = Es soll länger sein, als ein Agent aufbewahrt: Es wird nicht geholt. Bitte auf { $host } selbst nachsehen.
evidence-untrue = Was kam, ist nicht, was der Alarm nennt: Es wird nicht gezeigt. Bitte auf { $host } selbst nachsehen.
evidence-closed = Der Arbeitsbereich wurde unterdessen geschlossen.
alert-taken = Aktionen zu diesem Alarm
alert-taken-line = { $time }  { $action } auf { $host }: { $came } · { $who }: { $reason }
alert-taken-more = { $n ->
    [one] und 1 frühere
   *[other] und { $n } frühere
}
alert-story = Was mit ihm geschah
alert-care = Wer es hat
alert-nobody = Noch hat niemand etwas gesagt.
alert-claimed = { $name } ist dran, gesagt { $ago }, bis { $end }
alert-was-claimed = { $name } war dran bis { $end }
alert-acknowledged = { $name } weiß es, gesagt { $ago }
alert-was-acknowledged = { $name } wusste es, gesagt { $ago }; das gilt nicht mehr
alert-until = bis { $end }
alert-silenced = stumm bis { $end }
alert-maintained = in Wartung bis { $end }
alert-concerns = Wen es betrifft
alert-quiet-there = dort still
alert-open-page = Seine Seite öffnen
actions-title = Was sich hier ausführen lässt
actions-none = Die Rechner dieses Systems erlauben keine Aktionen.
actions-run = Ausführen…
actions-run-name = { $action } auf { $host } ausführen
actions-never = soweit bekannt nie ausgeführt
actions-waits = wartet
actions-runs = läuft
actions-done = getan
actions-failed = fehlgeschlagen ({ $why })
actions-left = nicht getan, und in diesem Fenster nicht wieder versucht
actions-lost = begonnen, und der Agent endete, ehe er den Ausgang kannte
actions-unheard = unbekannt, ob und wie es endete: Von seinem Agenten war seit { $time } nichts zu hören
actions-refused = nicht ausgeführt: { $why }
actions-expired = abgelaufen: der Agent hat nicht geantwortet
actions-last = { $who }, { $ago }: { $came }
actions-watched = für den Sollwert { $path }, { $ago }: { $came }
actions-reason = Warum? Andere lesen es beim Lauf.
actions-approvals = { $n ->
    [one] Zuerst muss jemand anders zustimmen.
   *[other] Zuerst müssen { $n } andere zustimmen.
}
actions-just-done = Das hat gerade jemand getan. { $run }
actions-again = Trotzdem noch einmal ausführen
actions-for-alert = Für den Alarm { $name }: Seine Seite nennt es dann.
actions-last-runs = Letzte Läufe
actions-run-now = Ausführen
actions-run-again = Noch einmal ausführen
actions-gone = Der Rechner erlaubt das nicht mehr.
runbooks-title = Runbooks
runbook-edit = Dieses Runbook öffnen
runbook-empty = Hier steht noch nichts.
runbook-cut = Es ist zu lang, um ganz gezeigt zu werden; die Notiz hat alles.
runbook-not-known = Noch ist nicht bekannt, was die Rechner hier erlauben.
runbook-link = Das ist keine Aktion: { $why }.
runbook-no-host = Kein Rechner dieses Systems heißt { $host }.
runbook-no-action = { $host } erlaubt { $action } nicht.
runbook-argument = Die Aktion nimmt das nicht: { $why }.
leave-title = Diese Adresse öffnen?
leave-hint = Sie kommt aus einer Notiz und wird von einem anderen Programm geöffnet.
leave-open = Öffnen
note-text = Text
note-preview = Wie es gelesen wird
note-kind-note = Notiz
note-kind-runbook = Runbook
note-kind-handover = Übergabe
note-kind-review = Durchsicht
note-kind-post-mortem = Nachbetrachtung
run-gone = Dieser Lauf ist hier nicht mehr bekannt.
run-gone-hint = Von jedem Rechner bleiben die letzten 50 Anfragen in Sicht; was Menschen dazu schrieben, steht in der Zeitleiste.
run-what = Worum gebeten wurde
run-asked = { $who } fragte { $ago }, um { $time }; beginnen konnte es bis { $end }
run-after = noch einmal nach dem Lauf { $run }
run-began = begonnen um { $time }
run-ended = geendet um { $time }, nach { $took }
run-output = Was es ausgab
run-output-not-begun = Es lief nicht.
run-output-none-yet = Es hat noch nichts ausgegeben.
run-output-unheard = Davon war nichts zu hören.
run-output-none = Es gab nichts aus.
run-output-length = { $n } Bytes insgesamt
run-output-left-out = Die ersten { $n } Bytes fehlen.
run-copy = Kopieren
run-again = Noch einmal ausführen…
timeline-ran-alert = { $words } (für den Alarm { $name })
timeline-ran = { $action } auf { $host }: { $came } · { $who }: { $reason }
requests-title = Wartet auf eine Antwort
requests-title-host = Wartet auf seinen Rechner
requests-count = { $n ->
    [one] Eine Anfrage wartet auf eine Antwort
   *[other] { $n } Anfragen warten auf eine Antwort
}
requests-row = { $who } möchte { $action } auf { $host }, bis { $time }
requests-asks = { $who } möchte { $action } auf { $host } ausführen lassen
requests-why = Warum: { $reason }
requests-until = gefragt { $ago }, kann bis { $time } beginnen
requests-agrees = { $who } stimmt zu
requests-objects = { $who } lehnt ab
requests-needs = { $n ->
    [one] Jemand anderes muss zustimmen.
   *[other] { $n } andere müssen zustimmen.
}
requests-host = Genug stimmen zu: Der Rechner beginnt oder sagt, warum nicht.
requests-nobody = Niemand muss zustimmen: Der Rechner beginnt oder sagt, warum nicht.
requests-not-offered = Der Rechner bietet diese Aktion jetzt nicht an: Er sagt, warum er nicht beginnt.
requests-over = Jemand hat abgelehnt: Es wird nicht ausgeführt.
requests-agree = Zustimmen…
requests-agree-name = { $action } auf { $host } zustimmen
requests-agree-title = Dem zustimmen?
requests-agree-now = Zustimmen
requests-refuse = Ablehnen
requests-refuse-name = { $action } auf { $host } ablehnen
requests-withdraw = Zurückziehen
requests-withdraw-name = { $action } auf { $host } zurückziehen
requests-own = Du hast selbst gefragt: Jemand anderes muss zustimmen.
requests-same-person = Ein anderes deiner Geräte hat gefragt: Jemand anderes muss zustimmen.
requests-agreed = Du hast zugestimmt.
requests-guest = Ein Gast kann nicht antworten.
requests-not-granted = Dieses Gerät darf diese Aktion nicht genehmigen.
requests-confirm = Dann wird es ausgeführt, und nichts nimmt das zurück.
requests-gone = Diese Anfrage wartet nicht mehr.

work-title = Wartung
work-window-next = Nächstes Fenster: { $from } bis { $until }
work-window-open = Ein Fenster ist offen bis { $until }
work-window-none = Kein Wartungsfenster ist geplant.
work-none = Keine Arbeit ist für ein Fenster erbeten.
work-out = Außer Dienst seit { $since }: { $reason }
work-group = Von { $name } müssen mindestens { $least } von { $all } in Dienst bleiben; jetzt sind es { $now }.
work-confirm = Bestätigen
work-confirm-name = { $action } auf { $host } bestätigen
work-withdraw = Zurückziehen
work-withdraw-name = { $action } auf { $host } zurückziehen
work-ask = Im nächsten Fenster
work-ask-hint = Der Rechner führt es im nächsten Wartungsfenster aus. Was mehr als einen Tag entfernt ist, wird am Tag davor bestätigt.
work-asked = { $who }: { $about }
work-when = { $state }: { $from } bis { $until }
work-came = { $state }: { $came }
work-again = { $state }: { $count }-mal begonnen, wieder { $at }
work-pending = wartet
work-soon = bald fällig, zu bestätigen
work-needs-window = wartet, kein Fenster ist geplant
work-due = fällig
work-running = läuft
work-retry = wird noch einmal versucht
work-success = getan
work-error = nicht getan
work-unknown = begonnen, und niemand weiß, wie es endete; es wird nicht noch einmal ausgeführt
work-deleted = zurückgezogen
work-deleted-unheard = zurückgezogen; der Rechner hat nicht geantwortet
work-postponed = auf das nächste Fenster verschoben
work-missed = sein Fenster schloss sich, bevor es beginnen konnte
system-alerts = Was los ist
system-here = Wer da ist
system-here-now = jetzt verbunden
system-here-nobody = Sonst hat niemand Zugang.
field-severity = wie schlimm es jetzt ist
field-worst = wie schlimm es schlimmstens war
field-state = offen, bestätigt oder vorbei
field-system = Titel des Systems
field-category = Kategorie des Systems
field-check = Name der Prüfung
field-family = was gleich ausfällt
field-owner = wer es weiß oder dran ist
field-summary = was die Prüfung sagte
field-label = ein Etikett des Systems
field-claimed = ob jemand dran ist
field-silenced = ob es stumm geschaltet ist
field-maintenance = ob Wartung ist
field-inhibited = ob es aus anderem folgt
field-flapping = ob es zu oft wechselt
field-attention = ob es jemanden braucht
field-opened = vor wie langer Zeit es begann
field-changed = vor wie langer Zeit es wechselte
field-last-ok = vor wie langer Zeit es gut war
field-age = wie lange es dauert
field-since = seither begonnen oder gewechselt
field-flaps = wie oft in 90 Tagen
field-has = ob es überhaupt da ist
fault-at = Bei Zeichen { $at }: { $fault }
fault-too-much = der Filter ist zu lang oder zu tief
fault-term = ein Wort, ein Feld oder ( wird erwartet
fault-close = ) wird erwartet
fault-not-opened = vor dieser ) wurde keine ( geöffnet
fault-quotation = das Zitat, das hier beginnt, hat kein Ende
fault-field = es gibt kein Feld { $name }; in Anführungszeichen wird das Wort selbst gesucht
fault-field-similar = es gibt kein Feld { $name }; ist { $field } gemeint?
fault-value = nach { $field } wird ein Wert erwartet
fault-comparison = { $field } wird verglichen mit { $signs }
fault-word = { $field } ist eines von { $words }
fault-span = eine Zeit wie 30s, 5m, 2h, 7d oder 1w wird erwartet
fault-time = eine Zeit wie 2h oder ein Datum wie 2026-11-28 wird erwartet
fault-number = eine ganze Zahl wird erwartet
fault-pattern = dieser reguläre Ausdruck ist nicht brauchbar
fault-no-text = { $field } ist kein Text, daher kein regulärer Ausdruck möglich
fault-pattern-empty = nach ~ wird ein regulärer Ausdruck erwartet; einer mit Leerzeichen oder ( steht in Anführungszeichen

share-reason = Wofür (freiwillig; andere sehen es)
trust-reason = Für: { $reason }
action-incident = Vorfall …
incident-title = Vorfall von „{ $system }“
incident-explain = Ein eigener Raum: Wer dazugerufen wird, sieht, was ab jetzt dort geschrieben wird, und vom System selbst nichts.
incident-what = Was ist los
incident-call = Gleich jemanden dazurufen
incident-open = Vorfall eröffnen
incident-opening = Wird eröffnet …
trust-end-reason = Warum (freiwillig; alle, die das System lesen, sehen es)
trust-ended-title = Beendeter Zugang
trust-ended-more = Die neuesten jedes Systems. „aramaki trust audit“ sagt alle.
trust-ended-time = lief { $at } ab
trust-ended-by = beendet { $at } von { $by }
trust-ended-lost = das Gerät ging verloren
trust-ended-others = { $n ->
    [one] damit endete noch ein anderer
   *[other] damit endeten { $n } andere
}
trust-ended-reason = Warum: { $reason }
values-short = Werte
values-of = Werte von { $check }
values-title = Was in den letzten 24 Stunden gemessen wurde
values-ask = Den Rechner fragen
values-ask-again = Noch einmal fragen
values-asking = wird gefragt…
values-as-of = gefragt { $ago }
values-nobody = Niemand hat geantwortet. Ist der Agent verbunden? Was er später antwortet, steht dann hier.
values-refused = Nicht beantwortet: { $why }
values-failed = Der Rechner konnte es nicht sagen: { $why }
values-unreadable = Was kam, ist keine Antwort. Steht in seinem actions.d die series.toml, wie sie ausgeliefert wird?
values-nothing = In dieser Zeit wurde nichts gemessen.
values-none-tells = Kein Rechner dieses Systems lässt seine Werte von fern lesen.
values-none-tells-hint = Legen Sie docs/series.toml.example auf dem Rechner als series.toml nach /etc/aramaki/actions.d.
values-extremes = kleinster { $least }, größter { $most }, letzter { $last }
values-warns = Warnung { $limit }
values-critical = kritisch { $limit }
values-above = über { $high }
values-below = unter { $low }
values-outside = außerhalb { $low } bis { $high }
values-between = innerhalb { $low } bis { $high }
values-left-out = { $n ->
    [one] 1 weiterer Wert hatte in der Antwort keinen Platz.
   *[other] { $n } weitere Werte hatten in der Antwort keinen Platz.
}
proposals-open = Was geprüft werden könnte…
proposals-count = { $n ->
    [one] 1 vorgeschlagene Prüfung…
   *[other] { $n } vorgeschlagene Prüfungen…
}
proposals-title = Vorgeschlagene Prüfungen für { $system }
proposals-none = Alles, was gefunden wurde, wird geprüft oder ist verworfen.
proposals-none-tells = Kein Rechner dieses Systems lässt sich von fern fragen, was geprüft werden könnte.
proposals-none-tells-hint = Legen Sie docs/discover.toml.example auf dem Rechner als discover.toml nach /etc/aramaki/actions.d.
proposals-all = Alle
proposals-may-not = Sie dürfen dieses System nicht ändern.
proposals-everywhere = Was angenommen wird, läuft auf jedem Agenten dieses Systems.
proposals-accept = { $n ->
    [0] Annehmen
   *[other] { $n } annehmen
}
proposals-ignore = { $n ->
    [0] Verwerfen
   *[other] { $n } verwerfen
}
proposals-undo = Zurücknehmen
keys-perspective = Perspektiven
perspective-none = Perspektiven
perspective-named = Perspektive: { $name }
perspective-changed = Perspektive: { $name }, geändert
perspective-none-saved = Systeme, Filter, Reiter und Gruppierung lassen sich unter einem Namen behalten. Ihre Geräte teilen sie.
perspective-update = Änderungen behalten
perspective-rename = Umbenennen…
perspective-delete = Löschen
perspective-save = Behalten als…
perspective-keep = Behalten
perspective-everything = Alles zeigen
roots-all = Alle Systeme
roots-below = { $system } und darunter
roots-several = { $n ->
    [one] 1 System und darunter
   *[other] { $n } Systeme und darunter
}
roots-find = System suchen…
