//! Every envelope as a line of JSON, readable without this program.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use data_encoding::BASE64;
use serde_json::json;

use crate::store::{Bodies, Store, StoreError};

/// Writes all; returns how many.
pub(super) fn export(store: &dyn Store, out: impl Write) -> Result<u64, StoreError> {
    let mut out = BufWriter::new(out);
    let failed = |source: io::Error| StoreError::Io {
        path: Path::new("export").to_owned(),
        source,
    };
    let mut count = 0;
    store.scan(Bodies::All, &mut |row| {
        let raw = row.raw.clone();
        let line = match row.raw.verify() {
            Ok(envelope) => {
                let header = envelope.header();
                json!({
                    "id": envelope.id().to_string(),
                    "space": header.space.to_string(),
                    "author": header.chain.author.to_string(),
                    "instance": format!("{:016x}", header.chain.instance.0),
                    "seq": header.seq,
                    "document": header.document.to_string(),
                    "kind": format!("{:?}", header.kind).to_lowercase(),
                    "time": header.time.to_string(),
                    "received": row.received.to_string(),
                    "header": BASE64.encode(&raw.header),
                    "signature": BASE64.encode(&raw.signature),
                    "body": raw.body.as_ref().map(|body| BASE64.encode(body)),
                })
            }
            Err(cause) => json!({
                "error": cause.to_string(),
                "received": row.received.to_string(),
                "header": BASE64.encode(&raw.header),
                "signature": BASE64.encode(&raw.signature),
            }),
        };
        writeln!(out, "{line}").map_err(failed)?;
        count += 1;
        Ok(())
    })?;
    out.flush().map_err(failed)?;
    Ok(count)
}
