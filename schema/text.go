package schema

// Text names a string column of the events table. The names are those of OCSF
// 1.8.0, flattened with "_"; columns that OCSF does not have begin with "x_".
type Text uint8

// The string columns, in the order in which the events table has them.
const (
	MetadataTenantUID Text = iota
	MetadataProductName
	MetadataProductVendorName
	MetadataLogName
	MetadataLogFormat
	MetadataEventCode
	MetadataCorrelationUID
	MetadataOriginalEventUID
	ActorUserUID
	ActorUserName
	ActorUserEmailAddr
	ActorUserType
	ActorAppUID
	ActorAppName
	ActorClientName
	ActorClientCategory
	ActorIDPUID
	ActorSessionUID
	ActorSessionUIDAlt
	SessionCredentialUID
	UserUID
	UserName
	SrcEndpointIP
	SrcEndpointName
	SrcEndpointNetwork
	SrcEndpointLocationCountry
	SrcEndpointLocationCity
	DstEndpointIP
	DstEndpointHostname
	HTTPRequestMethod
	HTTPRequestURLPath
	HTTPRequestURLQuery
	HTTPRequestUserAgent
	HTTPRequestReferrer
	HTTPRequestVersion
	HTTPResponseContentType
	HTTPRequestXForwardedFor
	APIOperation
	APIVersion
	APIServiceName
	ResourcesName
	ResourcesType
	ResourcesUID
	QueryString
	StatusCode
	StatusDetail
	Message
	LogonType
	LogonSubType
	AuthProtocol
	TLSVersion
	TLSCipher
	SourceName
	SourceFile
	RawData
	textCount
)

// TextCount is the number of string columns.
const TextCount = int(textCount)

// textColumn says how a string column is stored. A dictionary column is
// LowCardinality(String): values repeat, and each is stored once a block.
type textColumn struct {
	name       string
	dictionary bool
}

var textColumns = [textCount]textColumn{
	MetadataTenantUID:          {"metadata_tenant_uid", true},
	MetadataProductName:        {"metadata_product_name", true},
	MetadataProductVendorName:  {"metadata_product_vendor_name", true},
	MetadataLogName:            {"metadata_log_name", true},
	MetadataLogFormat:          {"metadata_log_format", true},
	MetadataEventCode:          {"metadata_event_code", true},
	MetadataCorrelationUID:     {"metadata_correlation_uid", false},
	MetadataOriginalEventUID:   {"metadata_original_event_uid", false},
	ActorUserUID:               {"actor_user_uid", true},
	ActorUserName:              {"actor_user_name", true},
	ActorUserEmailAddr:         {"actor_user_email_addr", true},
	ActorUserType:              {"actor_user_type", true},
	ActorAppUID:                {"actor_app_uid", true},
	ActorAppName:               {"actor_app_name", true},
	ActorClientName:            {"x_actor_client_name", true},
	ActorClientCategory:        {"x_actor_client_category", true},
	ActorIDPUID:                {"actor_idp_uid", true},
	ActorSessionUID:            {"actor_session_uid", true},
	ActorSessionUIDAlt:         {"actor_session_uid_alt", true},
	SessionCredentialUID:       {"session_credential_uid", true},
	UserUID:                    {"user_uid", true},
	UserName:                   {"user_name", true},
	SrcEndpointIP:              {"src_endpoint_ip", true},
	SrcEndpointName:            {"src_endpoint_name", true},
	SrcEndpointNetwork:         {"x_src_endpoint_network", true},
	SrcEndpointLocationCountry: {"src_endpoint_location_country", true},
	SrcEndpointLocationCity:    {"src_endpoint_location_city", true},
	DstEndpointIP:              {"dst_endpoint_ip", true},
	DstEndpointHostname:        {"dst_endpoint_hostname", true},
	HTTPRequestMethod:          {"http_request_http_method", true},
	HTTPRequestURLPath:         {"http_request_url_path", false},
	HTTPRequestURLQuery:        {"http_request_url_query_string", false},
	HTTPRequestUserAgent:       {"http_request_user_agent", true},
	HTTPRequestReferrer:        {"http_request_referrer", false},
	HTTPRequestVersion:         {"http_request_version", true},
	HTTPResponseContentType:    {"http_response_content_type", true},
	HTTPRequestXForwardedFor:   {"http_request_x_forwarded_for", true},
	APIOperation:               {"api_operation", true},
	APIVersion:                 {"api_version", true},
	APIServiceName:             {"api_service_name", true},
	ResourcesName:              {"resources_name", true},
	ResourcesType:              {"resources_type", true},
	ResourcesUID:               {"resources_uid", false},
	QueryString:                {"query_info_query_string", false},
	StatusCode:                 {"status_code", true},
	StatusDetail:               {"status_detail", false},
	Message:                    {"message", false},
	LogonType:                  {"logon_type", true},
	LogonSubType:               {"x_logon_sub_type", true},
	AuthProtocol:               {"auth_protocol", true},
	TLSVersion:                 {"tls_version", true},
	TLSCipher:                  {"tls_cipher", true},
	SourceName:                 {"x_source_name", true},
	SourceFile:                 {"x_source_file", true},
	RawData:                    {"raw_data", false},
}

// Column is the column's name in the events table.
func (t Text) Column() string { return textColumns[t].name }

// Type is the column's type as ClickHouse prints it.
func (t Text) Type() string {
	if textColumns[t].dictionary {
		return "LowCardinality(String)"
	}
	return "String"
}
