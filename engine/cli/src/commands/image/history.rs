//! `history`: how an image was made.

use clap::Args;
use dhow_client::{Request, encode};

use crate::failure::Failure;
use crate::format::Value;
use crate::output::human;
use crate::output::list::{self, Columns, Format, Row};
use crate::session::Session;

/// Show how an image was made
#[derive(Args)]
pub struct Arguments {
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long, default_value = "")]
    format: String,
    /// Print sizes and dates for people
    #[arg(short = 'H', long, action = clap::ArgAction::Set, default_value = "true")]
    human: bool,
    /// Show everything in full
    #[arg(long)]
    no_trunc: bool,
    /// The platform of the image (os/architecture)
    #[arg(long)]
    platform: Option<String>,
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
    #[arg(required = true, value_name = "IMAGE")]
    image: String,
}

const COLUMNS: Columns = Columns {
    go_type: "*image.historyContext",
    failure: list::PARSING,
    headers: &[
        ("ID", "IMAGE"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedBy", "CREATED BY"),
        ("Size", "SIZE"),
        ("Comment", "COMMENT"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let usual = match (arguments.quiet, arguments.human) {
        (true, _) => "{{.ID}}",
        (_, true) => "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
        (_, false) => "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
    };
    let format = match arguments.format.as_str() {
        "" | "table" if arguments.quiet => Format::parse(usual, "")?,
        spec => Format::parse(spec, usual)?,
    };
    let platform = arguments
        .platform
        .as_deref()
        .map(crate::commands::inspect::platform_json)
        .transpose()?;
    let request = Request::get(format!("/images/{}/history", encode(&arguments.image)))
        .query_if("platform", platform);
    let history = session.json(request).await?;
    let rows = history.items().iter().map(|step| row(step, &arguments));
    format.print(&COLUMNS, rows.collect())?;
    Ok(0)
}

fn row(step: &Value, arguments: &Arguments) -> Row {
    let id = step.str("Id");
    let id = if arguments.no_trunc {
        id
    } else {
        list::short_id(id)
    };
    let created = step.int("Created");
    // Docker counts a date of zero as none at all.
    let (since, at) = if created == 0 {
        ("N/A".to_owned(), "N/A".to_owned())
    } else {
        (human::ago(created), human::rfc3339(created))
    };
    let by = step.str("CreatedBy").replace('\t', " ");
    let by = if arguments.no_trunc {
        by
    } else {
        list::ellipsis(&by, 45)
    };
    let size = step.int("Size");
    Row::new(&COLUMNS)
        .text("Comment", step.str("Comment"))
        .text("CreatedAt", at)
        .text("CreatedBy", by)
        .text("CreatedSince", since)
        .text("ID", id)
        .text(
            "Size",
            if arguments.human {
                human::size3(size)
            } else {
                size.to_string()
            },
        )
}
