//! The directives of the format: one table, read by the scanner, the diagnostics and the editor features.
//!
//! Source of every row: the datafile format specification, §4.1 (data sources), §5.1 (pipes), §6 (connections),
//! §3.6 and §7 (Classic).

/// What a datafile defines. The extension decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// `.datasource`: a table and how rows get into it.
    Datasource,
    /// `.pipe`: named SELECTs, at most one of which is published or materialized.
    Pipe,
    /// `.connection`: credentials of an outside service.
    Connection,
    /// `.incl`: a fragment that Classic files splice in.
    Include,
    /// `.token`: a declared token (Classic).
    Token,
}

impl FileKind {
    /// The kind for a file extension without its dot, exactly as spelled: the format's scan is case-sensitive.
    pub fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            "datasource" => Self::Datasource,
            "pipe" => Self::Pipe,
            "connection" => Self::Connection,
            "incl" => Self::Include,
            "token" => Self::Token,
            _ => return None,
        })
    }

    /// The word users know this kind by, in the singular.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Datasource => "data source",
            Self::Pipe => "pipe",
            Self::Connection => "connection",
            Self::Include => "include",
            Self::Token => "token",
        }
    }

    /// The file extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Datasource => "datasource",
            Self::Pipe => "pipe",
            Self::Connection => "connection",
            Self::Include => "incl",
            Self::Token => "token",
        }
    }
}

/// The two generations of the format. A project is wholly one or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// The current product: a directive table per file kind, explicit `TYPE endpoint`.
    #[default]
    Forward,
    /// The older product: one directive table for all kinds, `INCLUDE`, `VERSION`, implicit endpoints.
    Classic,
}

/// Whether a directive may open a block with `>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockRule {
    /// A block is the only accepted form.
    Must,
    /// Either form.
    May,
    /// One line only.
    No,
}

struct Row {
    name: &'static str,
    kinds: u8,
    block: BlockRule,
    help: &'static str,
}

const NONE: u8 = 0;
const DATASOURCE: u8 = 1;
const PIPE: u8 = 2;
const CONNECTION: u8 = 4;

macro_rules! directives {
    ($($id:ident $name:literal $($kind:ident)|+, $block:ident, $help:literal;)+) => {
        /// A directive of the format, in any file kind and dialect.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Directive {
            $(#[doc = $help] $id,)+
        }

        impl Directive {
            /// Every directive, in the order of the specification.
            pub const ALL: &[Directive] = &[$(Directive::$id,)+];
        }

        const ROWS: &[Row] = &[$(Row { name: $name, kinds: $($kind)|+, block: BlockRule::$block, help: $help },)+];
    };
}

directives! {
    Description "DESCRIPTION" DATASOURCE | PIPE | CONNECTION, May, "What this resource or node is for. Free text; quotes stay part of it.";
    Token "TOKEN" DATASOURCE | PIPE, No, "A static token: name and permission. `READ` or `APPEND` for data sources, `READ` for pipes.";
    Tags "TAGS" DATASOURCE | PIPE, May, "Comma-separated tags. `k=v` items are operational tags.";
    Schema "SCHEMA" DATASOURCE, May, "The columns: name, type, JSONPath, DEFAULT, CODEC.";
    Indexes "INDEXES" DATASOURCE, May, "Data-skipping indexes, one per line: `name expression TYPE type GRANULARITY n`.";
    Indices "INDICES" NONE, May, "Classic spelling of `INDEXES`.";
    Engine "ENGINE" DATASOURCE, May, "Table engine. Default `MergeTree`.";
    EnginePartitionKey "ENGINE_PARTITION_KEY" DATASOURCE, May, "Partition expression. Partitions of 1 to 300 GB are a good aim; `toYYYYMM(ts)` is typical.";
    EngineSortingKey "ENGINE_SORTING_KEY" DATASOURCE, May, "Sorting key: the columns that queries filter on first.";
    EnginePrimaryKey "ENGINE_PRIMARY_KEY" DATASOURCE, May, "Primary key, a prefix of the sorting key.";
    EngineSamplingKey "ENGINE_SAMPLING_KEY" DATASOURCE, May, "Sampling expression; must be in the primary key.";
    EngineTtl "ENGINE_TTL" DATASOURCE, May, "When rows expire, for example `toDateTime(ts) + toIntervalDay(90)`.";
    EngineSettings "ENGINE_SETTINGS" DATASOURCE, May, "MergeTree settings, `name=value` separated by commas.";
    EngineVer "ENGINE_VER" DATASOURCE, May, "ReplacingMergeTree: the version column; the row with the highest value stays.";
    EngineIsDeleted "ENGINE_IS_DELETED" DATASOURCE, May, "ReplacingMergeTree: a UInt8 column, 1 marks a deleted row.";
    EngineColumns "ENGINE_COLUMNS" DATASOURCE, May, "SummingMergeTree: the columns to sum.";
    EngineSign "ENGINE_SIGN" DATASOURCE, May, "CollapsingMergeTree: the column with 1 for a row and -1 for its cancellation.";
    EngineVersion "ENGINE_VERSION" DATASOURCE, May, "VersionedCollapsingMergeTree: the version column.";
    PartitionKey "PARTITION_KEY" DATASOURCE, No, "Legacy spelling, read and not used. Write `ENGINE_PARTITION_KEY`.";
    SortingKey "SORTING_KEY" DATASOURCE, No, "Legacy spelling, read and not used. Write `ENGINE_SORTING_KEY`.";
    PrimaryKey "PRIMARY_KEY" DATASOURCE, No, "Legacy spelling, read and not used. Write `ENGINE_PRIMARY_KEY`.";
    SamplingKey "SAMPLING_KEY" DATASOURCE, No, "Legacy spelling, read and not used. Write `ENGINE_SAMPLING_KEY`.";
    Ttl "TTL" DATASOURCE, No, "Legacy spelling, read and not used. Write `ENGINE_TTL`.";
    Settings "SETTINGS" DATASOURCE, No, "Not accepted. Write `ENGINE_SETTINGS`.";
    SharedWith "SHARED_WITH" DATASOURCE, May, "Workspaces that may read this data source, separated by commas or lines.";
    ForwardQuery "FORWARD_QUERY" DATASOURCE, Must, "How live rows become rows of the new schema: a SELECT list without FROM.";
    Backfill "BACKFILL" DATASOURCE, No, "`skip`: do not populate a new materialized data source from history.";
    KafkaConnectionName "KAFKA_CONNECTION_NAME" DATASOURCE, No, "The `.connection` file to consume from.";
    KafkaTopic "KAFKA_TOPIC" DATASOURCE, No, "The topic to consume.";
    KafkaGroupId "KAFKA_GROUP_ID" DATASOURCE, No, "The consumer group; one per data source and environment.";
    KafkaAutoOffsetReset "KAFKA_AUTO_OFFSET_RESET" DATASOURCE, No, "`earliest` or `latest` (default): where a new group starts.";
    KafkaStoreRawValue "KAFKA_STORE_RAW_VALUE" DATASOURCE, No, "Keep the raw message in `__value`.";
    KafkaStoreHeaders "KAFKA_STORE_HEADERS" DATASOURCE, No, "Keep message headers in `__headers`.";
    KafkaKeyFormat "KAFKA_KEY_FORMAT" DATASOURCE, No, "`json_without_schema`, `json_with_schema` or `avro`.";
    KafkaValueFormat "KAFKA_VALUE_FORMAT" DATASOURCE, No, "`json_without_schema`, `json_with_schema` or `avro`.";
    KafkaStoreBinaryHeaders "KAFKA_STORE_BINARY_HEADERS" DATASOURCE, No, "Deprecated and refused by the current product.";
    KafkaTargetPartitions "KAFKA_TARGET_PARTITIONS" DATASOURCE, No, "Deprecated and ignored by the current product.";
    ImportConnectionName "IMPORT_CONNECTION_NAME" DATASOURCE, No, "The S3, GCS or DynamoDB `.connection` to import from.";
    ImportBucketUri "IMPORT_BUCKET_URI" DATASOURCE, No, "`s3://bucket/path/*.csv` or `gs://…`, with wildcards.";
    ImportSchedule "IMPORT_SCHEDULE" DATASOURCE, No, "`@once`, `@on-demand` or `@auto`.";
    ImportFormat "IMPORT_FORMAT" DATASOURCE, No, "`csv`, `ndjson` or `parquet`.";
    ImportFromTimestamp "IMPORT_FROM_TIMESTAMP" DATASOURCE, No, "Only objects newer than this ISO timestamp.";
    ImportTableArn "IMPORT_TABLE_ARN" DATASOURCE, No, "DynamoDB table ARN.";
    ImportExportBucket "IMPORT_EXPORT_BUCKET" DATASOURCE, No, "Bucket for DynamoDB's initial export.";
    ImportQuery "IMPORT_QUERY" DATASOURCE, May, "Legacy (BigQuery, Snowflake): accepted and unused.";
    ImportService "IMPORT_SERVICE" DATASOURCE, No, "Legacy. Ignored by the current product.";
    ImportExternalDatasource "IMPORT_EXTERNAL_DATASOURCE" DATASOURCE, No, "Legacy. Ignored by the current product.";
    ImportStrategy "IMPORT_STRATEGY" DATASOURCE, No, "Legacy. Refused by the current product: append is the only mode.";
    ExportService "EXPORT_SERVICE" DATASOURCE | PIPE, No, "Legacy. Ignored by the current product.";
    PgConnectionName "PG_CONNECTION_NAME" DATASOURCE, No, "The Postgres `.connection` to read from.";
    PgTable "PG_TABLE" DATASOURCE, No, "The Postgres table.";
    Version "VERSION" DATASOURCE | PIPE, No, "Classic: renames the resource to `name__vN`. Ignored by the current product.";
    Include "INCLUDE" DATASOURCE | PIPE | CONNECTION, No, "Classic: splices another file here, with `KEY=value` substitutions. Refused by the current product.";
    Source "SOURCE" DATASOURCE, No, "Deprecated and refused.";
    Node "NODE" PIPE, No, "Starts a node: one named SELECT.";
    Scope "SCOPE" PIPE, No, "Legacy.";
    Sql "SQL" PIPE, Must, "The node's query. A first `%` makes it a template.";
    Type "TYPE" PIPE | CONNECTION, No, "What the node becomes: `endpoint`, `materialized`, `copy`, `sink`; in connections the service.";
    Datasource "DATASOURCE" PIPE, No, "Materialized node: the data source it writes.";
    DeploymentMethod "DEPLOYMENT_METHOD" PIPE, No, "`alter`: change the view's query in place, without backfill.";
    TargetDatasource "TARGET_DATASOURCE" PIPE, No, "Copy node: the data source it writes.";
    CopySchedule "COPY_SCHEDULE" PIPE, No, "`@on-demand` or a cron expression.";
    CopyMode "COPY_MODE" PIPE, No, "`append` (default) or `replace`, in lower case.";
    Mode "MODE" PIPE, No, "Short form of `COPY_MODE`.";
    OnDemandCompute "ON_DEMAND_COMPUTE" PIPE, No, "Run the copy on separate compute: a boolean word.";
    ExportConnectionName "EXPORT_CONNECTION_NAME" PIPE, No, "Sink node: the `.connection` to write to.";
    ExportSchedule "EXPORT_SCHEDULE" PIPE, No, "Sink node: `@on-demand` or a cron expression.";
    ExportBucketUri "EXPORT_BUCKET_URI" PIPE, No, "Sink node: where files go.";
    ExportFileTemplate "EXPORT_FILE_TEMPLATE" PIPE, No, "Sink node: file name, with `{column}` and `{date_column, '%Y-%m-%d'}` placeholders.";
    ExportFormat "EXPORT_FORMAT" PIPE, No, "Sink node: `csv` (default), `ndjson` or `parquet`.";
    ExportCompression "EXPORT_COMPRESSION" PIPE, No, "Sink node: `none` (default), `gz`, `zstd`, `snappy`…";
    ExportWriteStrategy "EXPORT_WRITE_STRATEGY" PIPE, No, "Sink node: `new` (default) or `truncate`.";
    ExportStrategy "EXPORT_STRATEGY" PIPE, No, "Sink node: `new` (default) or `truncate`.";
    ExportKafkaTopic "EXPORT_KAFKA_TOPIC" PIPE, No, "Sink node: the Kafka topic to write.";
    Filter "FILTER" PIPE, No, "Legacy row filter of a token.";
    From "FROM" NONE, No, "Classic, legacy.";
    Maintainer "MAINTAINER" NONE, No, "Classic: who looks after this resource.";
    Resource "RESOURCE" NONE, No, "Classic `.token` files: what the token may read.";
    Test "TEST" NONE, No, "Classic, legacy.";
    KafkaBootstrapServers "KAFKA_BOOTSTRAP_SERVERS" CONNECTION, No, "`host:port`, separated by commas.";
    KafkaSecurityProtocol "KAFKA_SECURITY_PROTOCOL" CONNECTION, No, "`SASL_SSL`, `PLAINTEXT` or `SASL_PLAINTEXT`.";
    KafkaSaslMechanism "KAFKA_SASL_MECHANISM" CONNECTION, No, "`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`.";
    KafkaKey "KAFKA_KEY" CONNECTION, No, "User name or key. Use `{{ tb_secret(\"…\") }}`.";
    KafkaSecret "KAFKA_SECRET" CONNECTION, No, "Password or secret. Use `{{ tb_secret(\"…\") }}`.";
    KafkaSchemaRegistryUrl "KAFKA_SCHEMA_REGISTRY_URL" CONNECTION, No, "Schema registry, with credentials in the URL.";
    KafkaSslCaPem "KAFKA_SSL_CA_PEM" CONNECTION, May, "CA certificate, as a block.";
    KafkaSaslOauthbearerMethod "KAFKA_SASL_OAUTHBEARER_METHOD" CONNECTION, No, "`AWS`.";
    KafkaSaslOauthbearerAwsRegion "KAFKA_SASL_OAUTHBEARER_AWS_REGION" CONNECTION, No, "AWS region of the token service.";
    KafkaSaslOauthbearerAwsRoleArn "KAFKA_SASL_OAUTHBEARER_AWS_ROLE_ARN" CONNECTION, No, "Role to assume.";
    KafkaSaslOauthbearerAwsExternalId "KAFKA_SASL_OAUTHBEARER_AWS_EXTERNAL_ID" CONNECTION, No, "External id of the role.";
    KafkaKeyAvroDeserialization "KAFKA_KEY_AVRO_DESERIALIZATION" CONNECTION, No, "Refused: write `KAFKA_KEY_FORMAT avro` in the data source.";
    S3Region "S3_REGION" CONNECTION, No, "Bucket region.";
    S3Arn "S3_ARN" CONNECTION, No, "Role to assume; or give `S3_ACCESS_KEY` and `S3_SECRET`.";
    S3AccessKey "S3_ACCESS_KEY" CONNECTION, No, "Access key. Use `{{ tb_secret(\"…\") }}`.";
    S3Secret "S3_SECRET" CONNECTION, No, "Secret key. Use `{{ tb_secret(\"…\") }}`.";
    GcsServiceAccountCredentialsJson "GCS_SERVICE_ACCOUNT_CREDENTIALS_JSON" CONNECTION, No, "Service account key as JSON. Use `{{ tb_secret(\"…\") }}`.";
    GcsHmacAccessId "GCS_HMAC_ACCESS_ID" CONNECTION, No, "HMAC access id (sinks).";
    GcsHmacSecret "GCS_HMAC_SECRET" CONNECTION, No, "HMAC secret (sinks).";
    GcsAccessId "GCS_ACCESS_ID" CONNECTION, No, "Alias of `GCS_HMAC_ACCESS_ID`.";
    GcsSecret "GCS_SECRET" CONNECTION, No, "Alias of `GCS_HMAC_SECRET`.";
    DynamodbArn "DYNAMODB_ARN" CONNECTION, No, "Role to assume.";
    DynamodbRegion "DYNAMODB_REGION" CONNECTION, No, "Table region.";
    PgHost "PG_HOST" CONNECTION, No, "Postgres host.";
    PgPort "PG_PORT" CONNECTION, No, "Postgres port.";
    PgDatabase "PG_DATABASE" CONNECTION, No, "Postgres database.";
    PgUser "PG_USER" CONNECTION, No, "Postgres user.";
    PgPassword "PG_PASSWORD" CONNECTION, No, "Postgres password. Use `{{ tb_secret(\"…\") }}`.";
    PgSslMode "PG_SSL_MODE" CONNECTION, No, "Postgres TLS mode.";
}

impl Directive {
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Its spelling in upper case.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// One or two sentences for hovers and completion.
    pub fn help(self) -> &'static str {
        self.row().help
    }

    /// Whether it takes a block.
    pub fn block_rule(self) -> BlockRule {
        self.row().block
    }

    /// The directive of that name in any case, whatever file it may stand in. O(number of directives).
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|d| d.name().eq_ignore_ascii_case(word))
    }

    /// Whether this directive is in the table of `kind` under `dialect`. This is the question that decides where a
    /// block ends, so directives that are recognised only to be refused (`SETTINGS`) are in the table.
    pub fn is_valid_in(self, kind: FileKind, dialect: Dialect) -> bool {
        let bit = match kind {
            FileKind::Datasource => DATASOURCE,
            FileKind::Pipe => PIPE,
            FileKind::Connection => CONNECTION,
            // Fragments and token files exist in Classic only, which has one table for everything.
            FileKind::Include | FileKind::Token => return true,
        };
        match dialect {
            // Classic shares one table among data sources and pipes, and kept Kafka credentials in data sources.
            Dialect::Classic => true,
            Dialect::Forward => self.row().kinds & bit != 0,
        }
    }

    /// [`Directive::named`] restricted to what `kind` and `dialect` accept.
    pub fn lookup(word: &str, kind: FileKind, dialect: Dialect) -> Option<Self> {
        Self::named(word).filter(|d| d.is_valid_in(kind, dialect))
    }

    /// `ENGINE` and everything that shapes it.
    pub fn is_engine(self) -> bool {
        self.name().starts_with("ENGINE")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_in_any_case() {
        for d in Directive::ALL {
            assert_eq!(Directive::named(&d.name().to_lowercase()), Some(*d));
        }
    }

    #[test]
    fn forward_has_a_table_per_kind_and_classic_one_for_all() {
        assert_eq!(Directive::lookup("sql", FileKind::Datasource, Dialect::Forward), None);
        assert_eq!(Directive::lookup("sql", FileKind::Datasource, Dialect::Classic), Some(Directive::Sql));
        assert_eq!(Directive::lookup("FROM", FileKind::Pipe, Dialect::Forward), None);
        assert_eq!(Directive::lookup("cache", FileKind::Pipe, Dialect::Forward), None);
    }
}
