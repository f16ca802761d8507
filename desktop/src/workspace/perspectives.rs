//! How the person looks at the worklist: kept in their Home, so that their devices share it; on this disk alone while
//! there is no Home.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aramaki_model::perspective::by_name;
use aramaki_model::{EntryId, HomeEntry, ItemId, Perspective, SavedPerspective};
use aramaki_sync::text_file;

use super::deeds::Undo;
use super::fresh;
use super::live::Live;
use super::profile::with_causes;
use super::whole::write_whole;
use crate::cli::CliError;

/// The file, while there is no Home.
const FILE: &str = "perspectives.json";
const FILE_LEN_BYTES_MAX: u64 = 1024 * 1024;

impl Live {
    /// How the person looks at the worklist, by name.
    pub(super) fn perspectives(&self) -> Vec<(ItemId, Perspective)> {
        by_name(self.standing_perspectives())
    }

    fn standing_perspectives(&self) -> BTreeMap<ItemId, Perspective> {
        // What is on this disk alone moves to the Home; until then the Home counts.
        let shelf = match self.shelf() {
            Ok(shelf) => shelf,
            Err(error) => {
                tracing::warn!(error = error.message(), "perspectives are not shown");
                Vec::new()
            }
        };
        let here = shelf.into_iter().filter_map(|saved| {
            let perspective = saved.perspective?.cleaned();
            Some((saved.id, perspective))
        });
        let mut standing: BTreeMap<_, _> = here.collect();
        if let Some(home) = self.home() {
            standing.extend(self.model().home(&home).perspectives);
        }
        standing
    }

    /// Keeps a perspective, in place of another or beside all.
    ///
    /// # Errors
    /// When it has no name, or the store or the disk refuses.
    pub(super) async fn save_perspective(
        &self,
        id: Option<ItemId>,
        perspective: &Perspective,
    ) -> Result<Vec<Undo>, CliError> {
        let perspective = perspective.cleaned();
        if perspective.name.is_empty() {
            return Err(CliError::Refused {
                what: "the view",
                reason: "it needs a name".to_owned(),
            });
        }
        let id = match id {
            Some(id) => id,
            None => ItemId::new(fresh::now(), fresh::random()?),
        };
        self.put_perspective(id, Some(perspective)).await
    }

    /// Keeps a perspective no longer, or again.
    ///
    /// # Errors
    /// When the store or the disk refuses.
    pub(super) async fn put_perspective(
        &self,
        id: ItemId,
        perspective: Option<Perspective>,
    ) -> Result<Vec<Undo>, CliError> {
        let before = self.standing_perspectives().remove(&id);
        let saved = SavedPerspective {
            at: fresh::now(),
            id,
            perspective,
        };
        let mut shelf = self.shelf()?;
        shelf.retain(|it| it.id != id);
        shelf.push(saved);
        self.keep(shelf).await?;
        Ok(vec![Undo::Perspective(id, before)])
    }

    /// Brings what is on this disk alone into the Home, once there is one.
    ///
    /// # Errors
    /// When the store or the disk refuses.
    pub(super) async fn move_perspectives(&self) -> Result<(), CliError> {
        let shelf = self.shelf()?;
        if shelf.is_empty() || self.home().is_none() {
            return Ok(());
        }
        self.keep(shelf).await
    }

    async fn keep(&self, shelf: Vec<SavedPerspective>) -> Result<(), CliError> {
        let Some(home) = self.home() else {
            return self.put_shelf(shelf);
        };
        let mut entries = Vec::new();
        for saved in shelf {
            let id = EntryId::new(saved.at, fresh::random()?);
            entries.push((id, HomeEntry::Perspective(saved)));
        }
        self.tell_home(home, &entries).await?;
        self.put_shelf(Vec::new())
    }

    fn shelf_file(&self) -> PathBuf {
        self.shared.data.join(FILE)
    }

    /// What is on this disk alone.
    fn shelf(&self) -> Result<Vec<SavedPerspective>, CliError> {
        let mut known = self.shelf_mut();
        if let Some(shelf) = &*known {
            return Ok(shelf.clone());
        }
        let path = self.shelf_file();
        let shelf = if path.exists() {
            let text = text_file::read(&path, FILE_LEN_BYTES_MAX)?;
            serde_json::from_str(&text).map_err(|error| CliError::Config {
                file: path,
                line: Some(error.line()),
                message: with_causes(&error),
            })?
        } else {
            Vec::new()
        };
        *known = Some(shelf);
        Ok(known.clone().unwrap_or_default())
    }

    fn put_shelf(&self, shelf: Vec<SavedPerspective>) -> Result<(), CliError> {
        let mut known = self.shelf_mut();
        if known.as_ref() == Some(&shelf) {
            return Ok(());
        }
        let path = self.shelf_file();
        let text = serde_json::to_vec(&shelf).map_err(|error| CliError::Bug(error.to_string()))?;
        write_whole(&path, &text)?;
        *known = Some(shelf);
        Ok(())
    }
}
