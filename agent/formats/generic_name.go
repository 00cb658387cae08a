package formats

import "strings"

// genericField is what a field of a logger's record means, whatever carries it.
type genericField int

const (
	genericUnmapped genericField = iota
	// genericDropped gives access, or says what another field says.
	genericDropped
	genericTime
	// genericTime2 is another time, for where the first is missing.
	genericTime2
	genericDate
	// genericObserved is when the record was seen on its way.
	genericObserved
	genericLevel
	// genericLevelPython is Python's levelno: 10 to 50.
	genericLevelPython
	// genericLevelOTel is OpenTelemetry's severity number: 1 to 24.
	genericLevelOTel
	genericMessage
	// genericMessage2 is a longer text beside the message, or its template.
	genericMessage2
	genericUserName
	genericUserID
	genericUserEmail
	genericUserType
	genericTargetName
	genericTargetID
	genericAppID
	genericAppName
	// genericService is the program that writes the log.
	genericService
	// genericName is the program in the logs of bunyan and pino, and anything elsewhere.
	genericName
	genericSource
	genericSourcePort
	genericSourceName
	// genericPeer is where the request came from if it is an address, and otherwise
	// anything.
	genericPeer
	genericForwarded
	genericCountry
	genericCity
	genericServerIP
	genericServerName
	// genericHost is the server that was asked, or the one that writes.
	genericHost
	genericMethod
	genericRequestLine
	genericURL
	genericPath
	// genericQuery is a query of the database, or of the URL.
	genericQuery
	genericURLQuery
	genericStatement
	genericUserAgent
	genericReferrer
	genericHTTPVersion
	genericContentType
	genericTLSVersion
	genericTLSCipher
	genericHTTPStatus
	// genericStatus is a number of HTTP, or a word.
	genericStatus
	genericCode
	genericOutcome
	genericFailed
	genericError
	genericErrorType
	genericReason
	genericDuration
	genericSeconds
	genericMillis
	genericMicros
	genericNanos
	// genericReceived and genericSent are bytes as the writer of the log sees them.
	genericReceived
	genericSent
	genericBytesIn
	genericBytesOut
	genericSize
	genericRows
	genericRowsFailed
	genericCRMRequest
	genericCorrelation
	genericRequestID
	genericTrace
	genericEventID
	genericTenant
	genericSession
	genericCredential
	genericOperation
	genericEvent
	genericObject
	genericObjectType
	genericObjectID
	genericAPIName
	genericAPIVersion
	genericProduct
	genericVendor
	genericLog
	genericAuthProtocol
	genericLoginType
	genericMFA
	// genericDatadog is a mark of Datadog, whose durations are nanoseconds.
	genericDatadog
	genericFields
)

// genericWords are the names of fields, by plain name; nested ones are one word.
// Sources: ECS 8, OpenTelemetry's semantic conventions (also those of before 2023),
// Datadog's standard attributes, and the names that zap, logrus, pino, bunyan,
// Serilog, Python's and PHP's loggers and Google Cloud Logging give.
var genericWords = map[genericField]string{
	genericTime:        "time timestamp ts eventtime eventtimestamp eventtimeutc datetime timestamputc timeutc logtime logtimestamp utctime asctime timegenerated creationtime timelocal timeiso8601 msec epoch epochms timemillis instantepochsecond eventdate rt devicereceipttime",
	genericTime2:       "createdat created eventcreated occurredat occurred loggedat starttime startedat start eventstart requesttimeepoch endtime end completedat eventend receivedat timestart",
	genericDate:        "date day logdate",
	genericObserved:    "observedtimestamp observedtime observedtimeunixnano eventingested ingested ingestedat receivedtimestamp",
	genericLevel:       "level lvl severity loglevel levelname severitytext loglevelname logseverity priority sev syslogseverity eventseverity levelvalue syslogseverityname",
	genericLevelPython: "levelno loglevelno",
	genericLevelOTel:   "severitynumber",
	genericMessage:     "message msg shortmessage text logmessage body renderedmessage eventmessage textpayload messagetext description details detail comment summary log",
	genericMessage2:    "fullmessage messagetemplate longmessage eventoriginal",
	genericUserName:    "user username usr usrname account accountname principal principalname actor actorname login loginname userprincipalname upn enduser endusername suser sourceusername remoteuser authuser authenticateduser subject subjectname clientuser initiator initiatedby runas runasuser identity actorlogin sub sourceuser actoruser uname doneby performedby executedby triggeredby",
	genericUserID:      "userid uid usrid accountid principalid actorid actoruserid enduserid suid sourceuserid identityid subjectid useruid actoruid useruuid usernameid userguid",
	genericUserEmail:   "email useremail usremail mail emailaddress useremailaddress actoremail accountemail",
	genericUserType:    "usertype accounttype principaltype actortype identitytype role userrole roles userroles enduserrole accountkind",
	genericTargetName:  "targetuser targetusername duser destinationuser destinationusername usertargetname targetaccount affecteduser",
	genericTargetID:    "targetuserid duid destinationuserid usertargetid targetid",
	genericAppID:       "clientid appid applicationid consumerkey consumerid oauthclientid clientappid azp connectedappid integrationid",
	genericAppName:     "app application appname applicationname clientname clientapp clientapplication clientappname connectedapp connectedappname integration integrationname consumer consumername consumerusername program job jobname connector",
	genericService:     "service servicename svc svcname component processname",
	genericName:        "name",
	genericSource:      "src srcip srcaddr sourceip sourceaddress sourceipaddress clientip clientipaddress clientaddress clientaddr remoteaddr remoteip remoteaddress ip ipaddr ipaddress userip networkclientip httpclientip callerip calleripaddress sourcenetworkaddress originip requestip requestremoteip reqip srchost reqremoteaddress netpeerip netsockpeeraddr requestclientip useripaddress actorip loginip realip xrealip srcipaddress networkpeeraddress",
	genericSourcePort:  "srcport sourceport clientport remoteport spt networkclientport reqremoteport networkpeerport netpeerport",
	genericSourceName:  "sourcedomain clientdomain sourcehost sourcehostname clienthost clienthostname shost srchostname remotehost",
	genericPeer:        "source client from peer remote origin address caller",
	genericForwarded:   "xforwardedfor forwardedfor xff httpxforwardedfor clientnatip",
	genericCountry:     "country countrycode sourcegeocountryisocode clientgeocountryisocode geoipcountrycode geocountry geocountryisocode geocountrycode sourcecountry networkclientgeoipcountryisocode locationcountry",
	genericCity:        "city sourcegeocityname clientgeocityname geoipcity geocity geocityname locationcity networkclientgeoipcityname",
	genericServerIP:    "dst dstip dstaddr dest destip destinationip destinationaddress serverip dstipaddress",
	genericServerName:  "serveraddress urldomain httphost requesthost reqhost vhost destinationdomain destinationhost destinationhostname dsthost dsthostname dhost serverdomain httpurldetailshost netpeername",
	genericHost:        "host hostname",
	genericMethod:      "method httpmethod httprequestmethod requestmethod reqmethod verb httpverb httprequestrequestmethod requesthttpmethod",
	genericRequestLine: "request requestline httprequest",
	genericURL:         "url uri urlfull urloriginal httpurl httptarget requesturl requesturi requri requrl httprequesturl fullurl httprequestrequesturl httpuri targeturl requestoriginalurl httprequesturi",
	genericPath:        "path urlpath requestpath httppath endpoint httprequestpath apipath resourcepath httproute route reqpath urlpathname httpurldetailspath",
	genericQuery:       "query",
	genericURLQuery:    "urlquery querystring args queryparams requestquery urlquerystring httpquery httpurldetailsquerystring",
	genericStatement:   "soql sql statement dbstatement dbquerytext querytext sqlquery soqlquery dbquery",
	genericUserAgent:   "useragent ua httpuseragent useragentoriginal agent httpuseragentdetails httprequestuseragent requestuseragent requestclientapplication clientuseragent",
	genericReferrer:    "referer referrer httpreferer httpreferrer httprequestreferrer httprequestreferer",
	genericHTTPVersion: "protocol httpversion serverprotocol proto networkprotocolversion httpprotocol httprequestprotocol",
	genericContentType: "contenttype responsecontenttype httpresponsecontenttype httpresponsemimetype mimetype",
	genericTLSVersion:  "tlsversion tlsprotocol sslprotocol tlsprotocolversion",
	genericTLSCipher:   "tlscipher sslcipher ciphersuite",
	genericHTTPStatus:  "httpstatus httpstatuscode httpresponsestatuscode httpresponsestatus responsestatuscode responsestatus httpresponsecode responsecode resstatuscode resstatus httpcode httprequeststatus",
	genericStatus:      "status statuscode statusname",
	genericCode:        "code resultcode returncode",
	genericOutcome:     "outcome result success eventoutcome evtoutcome succeeded issuccess successful loginstatus loginresult resultstatus ok statustext authresult authenticationresult",
	genericFailed:      "failed failure isfailure haserror iserror",
	genericError:       "error err errormessage errmessage errmsg exception exceptionmessage errordescription errordetail errordetails errortext errormsg exc excinfo exceptiondetail",
	genericErrorType:   "errortype exceptiontype errorkind errtype errorcode errcode exceptionclass errorclass errorname errname",
	genericReason:      "reason failurereason failreason denyreason errorreason eventreason statusreason statusdetail cause",
	genericDuration:    "duration dur elapsed latency took responsetime elapsedtime timetaken runtime executiontime processingtime executiontimes requestduration responselatency httpduration timespent",
	genericSeconds:     "durations durationsec durationsecs durationsecond durationseconds elapseds elapsedsec elapsedseconds latencys latencyseconds tooks requesttime timetakenseconds httpserverrequestduration durationinseconds",
	genericMillis:      "durationms durationmillis durationmilliseconds elapsedms elapsedmillis elapsedmilliseconds latencyms latencymillis latencymilliseconds tookms responsetimems timems timetakenms runtimems executiontimems responsemillis durms processingtimems requesttimems msecs durationinms totaltimems",
	genericMicros:      "durationus durationmicros elapsedus elapsedmicros latencyus durationmicroseconds durus latencymicros tookus",
	genericNanos:       "eventduration durationns durationnanos elapsedns elapsednanos latencyns durns durationnanoseconds tookns",
	genericReceived:    "bytesreceived receivedbytes bytesin inbytes bytesread rxbytes networkbytesread recvbytes",
	genericSent:        "bytessent sentbytes bytesout outbytes byteswritten txbytes networkbyteswritten bodybytessent",
	genericBytesIn:     "responsesize responsebytes responselength ressize httpresponsebodysize httpresponsebodybytes httpresponsebytes httpresponsesize httpresponsecontentlength httpresponsecontentlengthuncompressed responsecontentlength rescontentlength downloadedbytes bytesdownloaded trafficbytesin destinationbytes serverbytes responsebodysize responsebodybytes downloadsize httpresponseresponsesize rescontentlengthbytes dstbytes",
	genericBytesOut:    "requestsize requestbytes requestlength reqsize httprequestbodysize httprequestbodybytes httprequestbytes httprequestsize httprequestcontentlength requestcontentlength uploadedbytes bytesuploaded trafficbytesout sourcebytes clientbytes requestbodysize requestbodybytes uploadsize httprequestrequestsize reqcontentlength srcbytes",
	genericSize:        "bytes size contentlength length sizebytes bodysize",
	genericRows:        "rows rowcount countrows records recordcount countrecords rowsprocessed recordsprocessed numrows numrecords nrows rowsreturned recordsreturned rowsaffected affectedrows resultcount totalrows totalrecords rowsexported recordsexported dbresponsereturnedrows xrowsprocessed resultsize",
	genericRowsFailed:  "rowsfailed recordsfailed failedrecords failedrows numberfailures xrowsfailed",
	genericCRMRequest:  "xsfdcrequestid sfdcrequestid salesforcerequestid",
	genericCorrelation: "correlationid xcorrelationid corrid cid conversationid activityid correlationuid metadatacorrelationuid correlation logcorrelationid operationid",
	genericRequestID:   "requestid reqid xrequestid requid httprequestid rid httprequestidheader requestuid",
	genericTrace:       "traceid trace tracecontexttraceid ddtraceid logginggoogleapiscomtrace dtraceid oteltraceid",
	genericEventID:     "eventid eventuid logid recordid messageid insertid eventuuid loguid eventhash externalid auditid",
	genericTenant:      "tenant tenantid org orgid organization organizationid organisation organisationid organizationname tenantname metadatatenantuid customerid companyid cloudaccountid",
	genericSession:     "session sessionid sessid sid sessionkey sessionuid usersessionid connectsid sessiontoken",
	genericCredential:  "token accesstoken apikey xapikey credential credentialid keyid tokenid apikeyid accesskeyid accesskey jti bearertoken authtoken credentialuid apitoken accesstokenid keyfingerprint",
	genericOperation:   "operation action op apioperation operationname command dboperation dboperationname activity activityname rpcmethod function actionname eventaction methodname",
	genericEvent:       "event eventname evtname eventtype eventcode evttype eventtypename auditevent evt type logtype",
	genericObject:      "entity object sobject table entityname objectname resource resourcename tablename dbcollectionname dbsqltable sobjectname",
	genericObjectType:  "entitytype objecttype resourcetype module sobjecttype recordtype",
	genericObjectID:    "entityid objectid resourceid recordkey objectuid entityuid resourceuid",
	genericAPIName:     "api apiname apiservicename servicemethod rpcservice apiid",
	genericAPIVersion:  "apiversion",
	genericProduct:     "product productname observerproduct deviceproduct",
	genericVendor:      "vendor vendorname observervendor devicevendor productvendor",
	genericLog:         "logger loggername lognames eventdataset datastreamdataset sourcecontext channel logname lognamelogger logloggername dataset instrumentationscopename",
	genericAuthProtocol: "authmethod authenticationmethod authprotocol authenticationprotocol granttype authtype authenticationtype " +
		"authscheme protocolauth",
	genericLoginType: "logintype logontype signintype",
	genericMFA:       "mfa ismfa mfaused mfaauthenticated twofactor usedmfa",
	genericDatadog:   "ddsource ddtags ddservice ddversion ddenv",
	genericDropped: "authorization proxyauthorization cookie setcookie cookies password passwd pwd passphrase clientsecret secret refreshtoken idtoken " +
		"oldpassword newpassword privatekey clientassertion assertion samlresponse codeverifier secretkey secretaccesskey otp otpcode",
}

var genericNames = func() map[string]genericField {
	names := map[string]genericField{}
	for field, words := range genericWords {
		for word := range strings.FieldsSeq(words) {
			names[word] = field
		}
	}
	return names
}()

// genericExact are names that mean something only as they stand: Serilog's compact
// form, and those of one letter.
var genericExact = map[string]genericField{
	"@t": genericTime, "t": genericTime, "@m": genericMessage, "@mt": genericMessage2, "@l": genericLevel, "@x": genericError,
	"@tr": genericTrace, "@i": genericUnmapped, "@type": genericUnmapped, "@version": genericUnmapped,
}

// genericWrappers are objects into which loggers put the fields of a record.
var genericWrappers = map[string]bool{
	"fields": true, "field": true, "properties": true, "props": true, "context": true, "ctx": true, "extra": true, "data": true, "attributes": true,
	"attrs": true, "attr": true, "labels": true, "payload": true, "jsonpayload": true, "log": true, "record": true, "event": true, "evt": true,
	"meta": true, "metadata": true, "details": true, "detail": true, "body": true, "mdc": true, "contextmap": true, "params": true, "values": true,
	"httprequest": true, "request": true, "req": true, "http": true, "audit": true, "tags": true, "additional": true, "structureddata": true, "sd": true,
	"resource": true, "resourceattributes": true, "message": true, "entry": true, "auth": true, "security": true, "crm": true, "custom": true,
}

// genericSecretEnds are how the last part of the name of a secret ends.
var genericSecretEnds = []string{"password", "passwd", "pwd", "passphrase", "secret", "privatekey", "cookie", "authorization", "samlresponse", "assertion", "refreshtoken", "idtoken", "codeverifier"}

// genericFieldOf finds what a name means. Nested names are paths, with dots between.
func genericFieldOf(path string) genericField {
	if len(path) > maxMemoKey {
		return genericUnmapped
	}
	if field, known := genericExact[path]; known {
		return field
	}
	if name, found := genericHeader(path); found {
		return genericHeaderField(name)
	}
	for at := path; ; {
		if field, known := genericNames[plainName(at)]; known {
			return field
		}
		top, rest, nested := strings.Cut(at, ".")
		if !nested || !genericWrappers[plainName(top)] {
			break
		}
		at = rest
	}
	last := plainName(path[strings.LastIndexByte(path, '.')+1:])
	for _, end := range genericSecretEnds {
		if strings.HasSuffix(last, end) {
			return genericDropped
		}
	}
	if strings.HasSuffix(last, "apikey") || strings.HasSuffix(last, "accesstoken") || strings.HasSuffix(last, "authtoken") || strings.HasSuffix(last, "bearertoken") {
		return genericCredential
	}
	switch {
	case strings.HasSuffix(last, "sessionid") || strings.HasSuffix(last, "sessionkey"):
		return genericSession
	case strings.HasSuffix(last, "token") && !strings.HasSuffix(last, "pagetoken") && !strings.HasSuffix(last, "nexttoken") && !strings.HasSuffix(last, "synctoken"):
		return genericDropped
	}
	return genericUnmapped
}

// genericHeader is the name of a header of HTTP, in lower case, when the path leads
// to one.
func genericHeader(path string) (name string, found bool) {
	lower := strings.ToLower(path)
	for _, object := range []string{"headers.", "header."} {
		if at := strings.LastIndex(lower, object); at == 0 || at > 0 && (lower[at-1] == '.' || lower[at-1] == '_') {
			return strings.ReplaceAll(lower[at+len(object):], "_", "-"), true
		}
	}
	return "", false
}

func genericHeaderField(name string) genericField {
	switch field := genericNames[plainName(name)]; {
	case isKeyName(name):
		return genericCredential
	case isSecretHeader(name):
		return genericDropped
	case name == "host":
		return genericServerName
	case field == genericUserAgent, field == genericReferrer, field == genericForwarded, field == genericCRMRequest, field == genericCorrelation, field == genericRequestID:
		return field
	}
	return genericUnmapped
}
