//! `aramaki system observe`.

use clap::Args;
use serde_json::json;

use crate::cli::parse::parse_line;
use crate::cli::report::Lines;
use crate::cli::{CliError, Report};
use crate::view::observe::{Let, ObserveWish};
use crate::workspace::{Live, Observing};

/// Let the agents of another System say how this one is, or end that.
///
/// That is one half: the checks of the other System name this one (`about_system` in their file).
#[derive(Debug, Args)]
pub(crate) struct Observe {
    /// The System that is looked at: a switch, the site of a partner.
    system: String,
    /// The System whose agents look; a full Space id may be one that cannot be read here.
    #[arg(long = "from", value_name = "SYSTEM", value_parser = parse_line)]
    observer: String,
    /// What that is called where it cannot be read; its title otherwise.
    #[arg(long, value_parser = parse_line)]
    label: Option<String>,
    /// End it.
    #[arg(long, conflicts_with = "label")]
    remove: bool,
}

impl Observe {
    /// Writes it into the document of the System that is looked at.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let observer = match self.observer.parse() {
            Ok(id) => id,
            Err(_not_an_id) => live.find(&self.observer)?,
        };
        let wish = ObserveWish {
            system,
            observer,
            label: self.label.clone(),
            what: if self.remove { Let::End } else { Let::Look },
        };
        let Observing {
            title,
            from,
            checks,
        } = live.observe(wish).await?;
        Ok(Report::new(
            self.text(&title, &from, checks),
            &json!({
                "system": system.to_string(),
                "observer": observer.to_string(),
                "observes": !self.remove,
                "checks": checks,
            }),
        ))
    }

    /// What was done, and which half is missing.
    fn text(&self, title: &str, from: &str, checks: Option<usize>) -> String {
        let mut text = Lines::default();
        if self.remove {
            text.add(format_args!(
                "What agents of {from} see of {title} does not count there any more."
            ));
            return text.into_text();
        }
        text.add(format_args!(
            "Agents of {from} may say how {title} is: by checks of {from} with `about_system`."
        ));
        match checks {
            Some(0) => text.add(format_args!(
                "{from} has no such check yet: `aramaki system edit --checks` adds them."
            )),
            None => text.add(format_args!(
                "{from} is not shared with you, so what its agents see is not known here."
            )),
            Some(_) => {}
        }
        text.into_text()
    }
}
