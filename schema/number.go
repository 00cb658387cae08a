package schema

// Number names a numeric column of the events table. All are unsigned; zero
// stands for "not in the log", as OCSF's own 0 Unknown does.
type Number uint8

// The numeric columns, in the order in which the events table has them.
const (
	ClassUID Number = iota
	ActivityID
	SeverityID
	StatusID
	ActionID
	DispositionID
	IsTruncated
	ActorUserTypeID
	SrcEndpointPort
	HTTPResponseCode
	// Duration is in milliseconds.
	Duration
	// TrafficBytesIn counts bytes from the server to the client, OCSF's
	// destination to source: what was downloaded.
	TrafficBytesIn
	// TrafficBytesOut counts bytes from the client to the server.
	TrafficBytesOut
	RowsProcessed
	RowsFailed
	LogonTypeID
	AuthProtocolID
	AccountSwitchTypeID
	IsMFA
	CountsAgainstLimit
	IsRateLimited
	// CPUTime is in milliseconds.
	CPUTime
	// DBTime is in nanoseconds, as Salesforce writes DB_TOTAL_TIME.
	DBTime
	// DBCPUTime is in milliseconds.
	DBCPUTime
	DBBlocks
	FieldCount
	// SourceOffset is the position of the record's first byte in its
	// (decompressed) file.
	SourceOffset
	// Ordinal counts identical records of one file from 0.
	Ordinal
	numberCount
)

// NumberCount is the number of numeric columns.
const NumberCount = int(numberCount)

type numberColumn struct {
	name string
	bits int
}

var numberColumns = [numberCount]numberColumn{
	ClassUID:            {"class_uid", 16},
	ActivityID:          {"activity_id", 8},
	SeverityID:          {"severity_id", 8},
	StatusID:            {"status_id", 8},
	ActionID:            {"action_id", 8},
	DispositionID:       {"disposition_id", 8},
	IsTruncated:         {"metadata_is_truncated", 8},
	ActorUserTypeID:     {"actor_user_type_id", 8},
	SrcEndpointPort:     {"src_endpoint_port", 16},
	HTTPResponseCode:    {"http_response_code", 16},
	Duration:            {"duration", 32},
	TrafficBytesIn:      {"traffic_bytes_in", 64},
	TrafficBytesOut:     {"traffic_bytes_out", 64},
	RowsProcessed:       {"x_rows_processed", 64},
	RowsFailed:          {"x_rows_failed", 64},
	LogonTypeID:         {"logon_type_id", 8},
	AuthProtocolID:      {"auth_protocol_id", 8},
	AccountSwitchTypeID: {"account_switch_type_id", 8},
	IsMFA:               {"is_mfa", 8},
	CountsAgainstLimit:  {"x_counts_against_limit", 8},
	IsRateLimited:       {"x_is_rate_limited", 8},
	CPUTime:             {"x_cpu_time", 32},
	DBTime:              {"x_db_time", 64},
	DBCPUTime:           {"x_db_cpu_time", 32},
	DBBlocks:            {"x_db_blocks", 64},
	FieldCount:          {"x_field_count", 32},
	SourceOffset:        {"x_source_offset", 64},
	Ordinal:             {"x_ordinal", 32},
}

// Column is the column's name in the events table.
func (n Number) Column() string { return numberColumns[n].name }

// Type is the column's type as ClickHouse prints it.
func (n Number) Type() string { return string((&numbers{bits: numberColumns[n].bits}).Type()) }
