//! What render workers would do, for the documents of the simulated world.

use tympan_deliver::output::Later;
use tympan_deliver::prepare::{Form, Plan, Side};
use tympan_deliver::workshop::{Failed, Looked, Workshop};
use tympan_engine::{DocumentId, Job, JobDocument};
use tympan_render::RefusalKind;
use tympan_spooler::Spooler;
use tympan_store::NewDocument;

use super::paper::{What, pages_of, parts_of, raster, sides_of_raster, sum_of};

/// More octets than any document here has.
const OCTETS_MAX: u64 = 1 << 24;

#[derive(Debug)]
pub(super) struct Hands;

fn temporary(error: impl ToString) -> Failed {
    Failed::Temporary(error.to_string())
}

async fn inspect(spooler: &Spooler, job: &Job, received: &JobDocument) -> Result<Looked, Failed> {
    let octets = spooler.documents().read_all(received.id, OCTETS_MAX).await.map_err(temporary)?;
    let is_mail = received.format == "message/rfc822";
    let parts =
        if is_mail { parts_of(&octets).ok_or_else(|| temporary("a mail without parts"))? } else { vec![&octets[..]] };
    let mut looked = Looked::default();
    for (n, part) in parts.into_iter().enumerate() {
        let pages = pages_of(part).map(|pages| (1..=pages).filter(|page| job.options.wants_page(*page)).count() as u32);
        let Some(pages) = pages.filter(|pages| *pages > 0) else {
            looked.remarks.push(format!("part {} cannot be printed", n + 1));
            continue;
        };
        let id = if is_mail { DocumentId::from_parts(spooler.now(), spooler.random()) } else { received.id };
        if is_mail {
            looked.new.push(spooler.documents().store(id, part).await.map_err(temporary)?);
        }
        let name = format!("{:016x}", sum_of(part)).into();
        let format = "application/pdf".into();
        looked.documents.push(JobDocument { id, name, format, octets: part.len() as u64, pages });
    }
    Ok(looked)
}

async fn draw(spooler: &Spooler, job: &Job, plan: &Plan, id: DocumentId) -> Result<NewDocument, Failed> {
    if plan.form == Form::LaidOut {
        return Err(Failed::Refused(RefusalKind::RendererFailed));
    }
    let mut sources = Vec::new();
    for document in &job.documents {
        sources.push(spooler.documents().read_all(document.id, OCTETS_MAX).await.map_err(temporary)?);
    }
    let mut sides = Vec::new();
    for side in &plan.layout.sides {
        sides.push(match *side {
            Side::Blank => What::Blank,
            Side::Mark => What::Mark(job.mark.clone().unwrap_or_default()),
            Side::Page { document, page, .. } => {
                let source = &sources[document];
                match pages_of(source) {
                    Some(_) => What::Page { sum: sum_of(source), page },
                    // Only its raster is left.
                    None => {
                        let named = u64::from_str_radix(&job.documents[document].name.0, 16).unwrap_or(0);
                        let wanted = What::Page { sum: named, page };
                        let there = sides_of_raster(source).into_iter().find(|side| *side == wanted);
                        there.ok_or_else(|| temporary("the raster lacks a page"))?
                    }
                }
            }
        });
    }
    let all: Vec<What> = (0..plan.copies_in_data).flat_map(|_| sides.iter().cloned()).collect();
    spooler.documents().store(id, &raster(&all)).await.map_err(temporary)
}

impl Workshop for Hands {
    fn inspect<'a>(
        &'a self,
        spooler: &'a Spooler,
        job: &'a Job,
        received: &'a JobDocument,
    ) -> Later<'a, Result<Looked, Failed>> {
        Box::pin(inspect(spooler, job, received))
    }

    fn draw<'a>(
        &'a self,
        spooler: &'a Spooler,
        job: &'a Job,
        plan: &'a Plan,
        id: DocumentId,
    ) -> Later<'a, Result<NewDocument, Failed>> {
        Box::pin(draw(spooler, job, plan, id))
    }
}
