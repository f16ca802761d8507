//! Telling people by mail.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use serde::Deserialize;

use super::channel::SendError;
use super::letter::Letter;
use crate::cli::Clock;

/// Before another attempt.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a server has to say goodbye after it took a message.
const QUIT_TIME: Duration = Duration::from_secs(2);
/// Recipients of one message.
const RECIPIENTS_MAX: usize = 32;
/// Ways to say a password, as servers offer them; all of them through TLS only.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Security {
    /// From the first byte, usually at port 465.
    Implicit,
    /// After the greeting, usually at port 587; a server that does not offer it gets nothing.
    Starttls,
    /// Not at all: for a server on this machine, and only there.
    None,
}

/// What the host's file says.
pub(super) struct Settings {
    pub(super) server: String,
    pub(super) port: Option<u16>,
    pub(super) tls: Security,
    pub(super) login: Option<(String, String)>,
    pub(super) ca: Option<Vec<u8>>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) timeout: Duration,
}

/// A mail server and who writes.
pub(super) struct Smtp {
    server: String,
    port: u16,
    /// From the first byte.
    implicit: Option<TlsParameters>,
    /// After the greeting.
    starttls: Option<TlsParameters>,
    login: Option<Credentials>,
    from: Mailbox,
    /// Who gets what names nobody.
    to: Vec<Mailbox>,
    timeout: Duration,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("server", &self.server)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

impl Smtp {
    /// Takes settings.
    ///
    /// # Errors
    /// A field and what is wrong with it.
    pub(super) fn new(settings: Settings) -> Result<Self, (&'static str, String)> {
        let from = settings
            .from
            .parse::<Mailbox>()
            .map_err(|error| ("from", format!("no mail address: {error}")))?;
        let to = mailboxes(&settings.to).map_err(|message| ("to", message))?;
        if settings.tls == Security::None {
            if settings.login.is_some() {
                let why = "a password is sent through `starttls` or `implicit` only";
                return Err(("tls", why.to_owned()));
            }
            if !is_here(&settings.server) {
                let why =
                    "`none` is for a server on this machine only: localhost, 127.0.0.1 or ::1";
                return Err(("tls", why.to_owned()));
            }
        }
        let (mut implicit, mut starttls) = (None, None);
        let port = match settings.tls {
            Security::Implicit => {
                implicit = Some(parameters(&settings)?);
                465
            }
            Security::Starttls => {
                starttls = Some(parameters(&settings)?);
                587
            }
            Security::None => 25,
        };
        Ok(Self {
            port: settings.port.unwrap_or(port),
            server: settings.server,
            implicit,
            starttls,
            login: settings
                .login
                .map(|(user, password)| Credentials::new(user, password)),
            from,
            to,
            timeout: settings.timeout,
        })
    }

    /// Whom an address means, each without a name; the host's own if it is empty.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn addresses(to: &str) -> Result<Vec<String>, String> {
        let all = mailboxes(to)?;
        Ok(all.iter().map(|it| it.email.to_string()).collect())
    }

    /// Hands it over once.
    pub(super) async fn send(&self, to: &str, letter: &Letter) -> Result<(), SendError> {
        let message = self.message(to, letter)?;
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        // Until here nobody can have got anything: whatever fails may be tried again.
        let late = |_elapsed| SendError::failed("the mail server did not answer in time", PAUSE);
        let connected = tokio::time::timeout(self.timeout, self.connect(&hello));
        let mut connection = connected.await.map_err(late)??;
        // A server that took the message and whose answer got lost has told people.
        let text = message.formatted();
        let sent = connection.send(message.envelope(), &text);
        let sent = tokio::time::timeout(self.timeout, sent).await;
        sent.map_err(|_elapsed| {
            SendError::unsure("the mail server did not say in time whether it took the message")
        })?
        .map_err(|error| fate(&error))?;
        // It has the message; how it says goodbye changes nothing.
        drop(tokio::time::timeout(QUIT_TIME, connection.quit()).await);
        Ok(())
    }

    /// Up to where a message can be handed over.
    async fn connect(&self, hello: &ClientId) -> Result<AsyncSmtpConnection, SendError> {
        let server = (self.server.as_str(), self.port);
        let place = || format!("{}:{}", self.server, self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(self.timeout),
            hello,
            self.implicit.clone(),
            None,
        )
        .await
        .map_err(|error| before(&error, &format!("no connection to {}", place())))?;
        if let Some(tls) = &self.starttls {
            let begun = connection.starttls(tls.clone(), hello).await;
            begun.map_err(|error| before(&error, &format!("no TLS with {}", place())))?;
        }
        if let Some(login) = &self.login {
            let known = connection.auth(&MECHANISMS, login).await;
            known.map_err(|error| before(&error, "the mail server does not take the password"))?;
        }
        Ok(connection)
    }

    /// A letter as mail.
    fn message(&self, to: &str, letter: &Letter) -> Result<Message, SendError> {
        let recipients = mailboxes(to).map_err(SendError::refused)?;
        let recipients = if recipients.is_empty() {
            self.to.clone()
        } else {
            recipients
        };
        if recipients.is_empty() {
            return Err(SendError::refused(
                "nobody to write to: neither the policy nor this host's file says whom",
            ));
        }
        let domain = self.from.email.domain();
        // The same on every notifier that writes from this domain: mail programs and servers drop or show as
        // one what a second notifier tells once more. A test is to arrive each time.
        let id = if letter.is_test() {
            format!("<{}.{}@{domain}>", letter.id, Clock::now().millis())
        } else {
            format!("<{}@{domain}>", letter.id)
        };
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(letter.subject.clone())
            .message_id(Some(id))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        if !letter.thread.is_empty() {
            // Nobody ever sent a message of this name: problem, acknowledgement and end are its answers,
            // so that they stand together whoever sent which.
            let thread = format!("<alert.{}@{domain}>", letter.thread);
            message = message.in_reply_to(thread.clone()).references(thread);
        }
        for recipient in recipients {
            message = message.to(recipient);
        }
        message
            .body(letter.text.clone())
            .map_err(|error| SendError::refused(format!("no message can be made of it: {error}")))
    }
}

/// Whether a name can only mean this machine.
fn is_here(server: &str) -> bool {
    let address = server.parse::<IpAddr>();
    server.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn parameters(settings: &Settings) -> Result<TlsParameters, (&'static str, String)> {
    let mut parameters = TlsParameters::builder(settings.server.clone());
    if let Some(pem) = &settings.ca {
        let certificate = Certificate::from_pem(pem)
            .map_err(|error| ("ca_file", format!("no certificate in PEM: {error}")))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters
        .build_rustls()
        .map_err(|error| ("server", format!("no TLS: {error}")))
}

/// Addresses with commas between them.
fn mailboxes(text: &str) -> Result<Vec<Mailbox>, String> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let read = |part: &str| {
        let mailbox = part.parse::<Mailbox>();
        mailbox.map_err(|error| format!("`{part}` is no mail address: {error}"))
    };
    let all: Vec<_> = parts
        .take(RECIPIENTS_MAX + 1)
        .map(read)
        .collect::<Result<_, _>>()?;
    if all.len() > RECIPIENTS_MAX {
        return Err(format!("at most {RECIPIENTS_MAX} addresses are expected"));
    }
    Ok(all)
}

/// Before a message was under way nobody can have got it; a 5xx answer and what this side refuses stay.
fn before(error: &Error, what: &str) -> SendError {
    let why = format!("{what}: {}", crate::workspace::with_causes(error));
    if error.is_permanent() || error.is_client() {
        SendError::refused(why)
    } else {
        SendError::failed(why, PAUSE)
    }
}

/// Of a message under way a 4xx answer passes and a 5xx answer stays; what broke off may have arrived.
fn fate(error: &Error) -> SendError {
    let why = crate::workspace::with_causes(error);
    if error.is_permanent() || error.is_client() {
        SendError::refused(why)
    } else if error.is_transient() {
        SendError::failed(why, PAUSE)
    } else {
        SendError::unsure(why)
    }
}

/// Answering machines leave such a message alone (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use aramaki_model::Severity;
    use aramaki_model::notify::State;

    use super::super::letter::tests::{message, name};
    use super::*;

    fn smtp(from: &str) -> Smtp {
        let settings = Settings {
            server: "localhost".to_owned(),
            port: None,
            tls: Security::None,
            login: None,
            ca: None,
            from: from.to_owned(),
            to: "fallback@example.org".to_owned(),
            timeout: Duration::from_secs(1),
        };
        Smtp::new(settings).unwrap()
    }

    fn mail(smtp: &Smtp, letter: &Letter) -> String {
        let message = smtp.message("ops@example.org", letter).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
        let head = mail.split("\r\n\r\n").next()?;
        head.lines().find_map(|line| line.strip_prefix(name))
    }

    #[test]
    fn two_notifiers_write_the_same_mail_and_the_end_answers_the_problem() {
        let critical = State::Problem(Severity::Critical);
        let problem = Letter::new(&message(&[critical]), "", name);
        let end = Letter::new(&message(&[State::Resolved]), "", name);
        let first = mail(&smtp("First <first@example.org>"), &problem);
        let second = mail(&smtp("second@example.org"), &problem);
        let last = mail(&smtp("second@example.org"), &end);
        let id = header(&first, "Message-ID: ").unwrap();
        assert_eq!(Some(id), header(&second, "Message-ID: "));
        assert_ne!(Some(id), header(&last, "Message-ID: "));
        for field in ["References: ", "In-Reply-To: "] {
            let thread = header(&first, field);
            assert!(thread.is_some(), "{first}");
            assert_eq!(thread, header(&last, field), "{field}");
        }
        assert_eq!(header(&first, "Auto-Submitted: "), Some("auto-generated"));
    }

    #[test]
    fn words_of_others_add_no_header_and_no_line_to_a_mail() {
        let mut odd = message(&[State::Problem(Severity::Critical)]);
        odd.items[0].summary = "full\r\nBcc: thief@example.org\r\n\r\n.\r\nQUIT".to_owned();
        let letter = Letter::new(&odd, "", name);
        let text = mail(&smtp("a@example.org"), &letter);
        assert_eq!(header(&text, "Bcc"), None, "{text}");
        assert_eq!(header(&text, "To: "), Some("ops@example.org"));
        assert_eq!(
            header(&text, "Subject: ").map(|it| it.contains("full")),
            Some(true)
        );
        // What is over does not say what it said while it was there.
        let mut over = message(&[State::Resolved]);
        over.items[0].summary = "disk full".to_owned();
        let text = mail(&smtp("a@example.org"), &Letter::new(&over, "", name));
        let subject = header(&text, "Subject: ").unwrap();
        assert!(
            subject.starts_with("[RESOLVED] ") && !subject.contains("full"),
            "{subject}"
        );
        let to = smtp("a@example.org").message("a@b.org\r\nBcc: x@example.org", &letter);
        assert!(to.is_err(), "an address is one line");
    }

    #[test]
    fn without_tls_only_this_machine_gets_mail_and_no_password() {
        let settings = |server: &str, login: Option<(String, String)>| Settings {
            server: server.to_owned(),
            port: None,
            tls: Security::None,
            login,
            ca: None,
            from: "a@example.org".to_owned(),
            to: String::new(),
            timeout: Duration::from_secs(1),
        };
        let login = Some(("u".to_owned(), "p".to_owned()));
        for (server, login) in [
            ("mail.example.org", None),
            ("10.0.0.1", None),
            ("::1", login),
        ] {
            let refused = Smtp::new(settings(server, login)).unwrap_err();
            assert_eq!(refused.0, "tls", "{server}");
        }
        for server in ["localhost", "127.0.0.1", "::1"] {
            assert!(Smtp::new(settings(server, None)).is_ok(), "{server}");
        }
    }

    #[test]
    fn nobody_is_written_to_whom_nobody_named() {
        let letter = Letter::test("mail");
        let to = |to: &str| {
            let message = smtp("a@example.org").message(to, &letter);
            message.map(|it| {
                it.envelope()
                    .to()
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(to("").unwrap(), ["fallback@example.org"]);
        assert_eq!(to("A <a@b.org>, c@d.org").unwrap(), ["a@b.org", "c@d.org"]);
        assert!(to("nobody").is_err());
        let many = vec!["a@b.org"; RECIPIENTS_MAX + 1].join(",");
        assert!(to(&many).unwrap_err().why.contains("at most"));
    }
}
