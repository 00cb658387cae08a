package formats

import "strings"

// The fields of the default CSV formats, in their order.
var (
	apiGatewayCSVOfREST = [...]int{apiGatewayAddress, apiGatewayCaller, apiGatewayUser, apiGatewayTime, apiGatewayMethod, apiGatewayResource, apiGatewayProtocol, apiGatewayStatus, apiGatewayLength, apiGatewayRequestID}
	apiGatewayCSVOfHTTP = [...]int{apiGatewayAddress, apiGatewayTime, apiGatewayMethod, apiGatewayRoute, apiGatewayProtocol, apiGatewayStatus, apiGatewayLength, apiGatewayRequestID}
)

// plain reads a record in one of the formats that are no JSON: CLF, CSV or XML.
func (l *apiGatewayLog) plain(line string) *recordFailure {
	e := &l.event
	line = validText(line)
	var failure *recordFailure
	switch {
	case strings.HasPrefix(line, "<"):
		failure = l.xml(line)
	case strings.HasPrefix(line, "("):
		failure = &recordFailure{ReasonUnknownFormat, "this is a line of API Gateway's execution log, which holds headers and bodies: give the access log's group instead"}
	case strings.Contains(line, " ["):
		failure = l.clf(line)
	default:
		failure = l.csv(line)
	}
	if failure != nil {
		return failure
	}
	for i, value := range l.call.values {
		l.call.values[i] = present(value)
	}
	if l.strict && !isAWSRequestID(l.call.values[apiGatewayRequestID]) {
		return &recordFailure{ReasonUnknownFormat, "the request's id is not written as AWS writes them"}
	}
	own, failure := l.call.fill(e)
	if failure != nil {
		return failure
	}
	l.byLine = true
	l.identify(own)
	l.hasher.Part(line)
	e.UID = l.hasher.Sum()
	return nil
}

// clf reads ADDRESS CALLER USER [TIME] "METHOD RESOURCE PROTOCOL" STATUS LENGTH
// REQUEST-ID, with the extended id and an error behind it.
func (l *apiGatewayLog) clf(line string) *recordFailure {
	v := &l.call.values
	front, rest, _ := strings.Cut(line, " [")
	caller := strings.Fields(front)
	time, rest, closed := strings.Cut(rest, "]")
	rest, quoted := strings.CutPrefix(strings.TrimLeft(rest, " "), `"`)
	request, rest, ended := strings.Cut(rest, `" `)
	if len(caller) != 3 || !closed || len(time) > maxTime || !quoted || !ended {
		return &recordFailure{ReasonSyntax, `expected ADDRESS CALLER USER [TIME] "METHOD RESOURCE PROTOCOL" STATUS LENGTH REQUEST-ID, or JSON, CSV, XML`}
	}
	status, rest, _ := strings.Cut(rest, " ")
	length, rest, _ := strings.Cut(rest, " ")
	id, rest, _ := strings.Cut(rest, " ")
	if _, number := smallNumber(status); !number && status != "-" {
		return &recordFailure{ReasonSyntax, "expected a status such as 200 behind the request"}
	}
	if id == "" {
		return &recordFailure{ReasonSyntax, "expected status, length and the request's id behind the request"}
	}
	v[apiGatewayAddress], v[apiGatewayCaller], v[apiGatewayUser], v[apiGatewayTime] = caller[0], caller[1], caller[2], time
	v[apiGatewayStatus], v[apiGatewayLength], v[apiGatewayRequestID] = status, length, id
	extended, detail, _ := strings.Cut(rest, " ")
	l.behind(extended, detail, rest)
	method, target, _ := strings.Cut(request, " ")
	if at := strings.LastIndexByte(target, ' '); at >= 0 {
		target, v[apiGatewayProtocol] = target[:at], target[at+1:]
	}
	v[apiGatewayMethod] = method
	if strings.Contains(target, " ") || strings.HasPrefix(target, "$") { // METHOD PATH: a route of an HTTP API
		v[apiGatewayRoute] = target
	} else {
		v[apiGatewayResource] = target
	}
	return nil
}

// behind takes what stands behind the request's id: the extended id and an error, or
// an error alone.
func (l *apiGatewayLog) behind(extended, detail, all string) {
	if isAWSRequestID(extended) {
		l.event.AddUnmapped("extendedRequestId", extended)
		all = detail
	}
	l.call.values[apiGatewayError] = strings.Trim(all, "- ,")
}

// csv reads the fields of a REST API's format or of an HTTP API's, told apart by the
// place of the time.
func (l *apiGatewayLog) csv(line string) *recordFailure {
	v := &l.call.values
	order := apiGatewayCSVOfHTTP[:]
	fields := strings.SplitN(line, ",", len(apiGatewayCSVOfREST)+1)
	if len(fields) >= len(apiGatewayCSVOfREST) {
		if _, ok := l.call.clock.millis(fields[3]); ok {
			order = apiGatewayCSVOfREST[:]
		}
	}
	if len(fields) < len(order) {
		return &recordFailure{ReasonSyntax, "expected JSON, or the fields of API Gateway's default formats: address, caller, user, time, method, resource, protocol, status, length, request's id"}
	}
	for i, field := range order {
		v[field] = strings.Trim(fields[i], ` "`)
	}
	if _, number := smallNumber(v[apiGatewayStatus]); !number && v[apiGatewayStatus] != "-" {
		return &recordFailure{ReasonSyntax, "expected a status such as 200 behind the protocol"}
	}
	rest := strings.Join(fields[len(order):], ",")
	extended, detail, _ := strings.Cut(rest, ",")
	l.behind(strings.Trim(extended, ` "`), detail, rest)
	return nil
}

// xml reads <request id="ID"><ip>ADDRESS</ip>...</request>. AWS does not escape here
// either, so an element ends at its own closing tag.
func (l *apiGatewayLog) xml(line string) *recordFailure {
	v := &l.call.values
	const head, tail = `<request id="`, "</request>"
	rest, found := strings.CutPrefix(line, head)
	id, rest, closed := strings.Cut(rest, `">`)
	if !found || !closed {
		return &recordFailure{ReasonSyntax, `expected <request id="...">`}
	}
	if !strings.HasSuffix(rest, tail) {
		return &recordFailure{ReasonSyntax, "the element request is not closed in its line"}
	}
	rest = strings.TrimSuffix(rest, tail)
	v[apiGatewayRequestID] = id
	for range maxExtras {
		if rest = strings.TrimLeft(rest, " \t"); rest == "" {
			return nil
		}
		name, more, closed := strings.Cut(rest, ">")
		name, opens := strings.CutPrefix(name, "<")
		if !opens || !closed || name == "" || len(name) > 64 {
			return &recordFailure{ReasonSyntax, "expected an element inside the element request"}
		}
		value, behind, closed := strings.Cut(more, "</"+name+">")
		if !closed {
			return &recordFailure{ReasonSyntax, "an element inside the element request is not closed"}
		}
		switch field := classifyAPIGateway(name); {
		case field == apiGatewayDropped:
		case field == apiGatewayUnmapped:
			l.event.AddUnmapped(name, present(value))
		case v[field] == "":
			v[field] = value
		default:
			return &recordFailure{ReasonQuote, "an element stands twice in the record: API Gateway does not escape values, so a client can have written one of them"}
		}
		rest = behind
	}
	return &recordFailure{ReasonSyntax, "the element request has more than 32 elements"}
}

// isAWSRequestID says whether s is a request's id as API Gateway writes them: a UUID,
// or for HTTP APIs letters and digits that end in "=".
func isAWSRequestID(s string) bool {
	if len(s) >= 12 && len(s) <= 24 && s[len(s)-1] == '=' {
		for i := range len(s) - 1 {
			if c := s[i]; c-'0' > 9 && c|0x20-'a' >= 26 && c != '-' && c != '_' && c != '=' {
				return false
			}
		}
		return true
	}
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && hexDigit(s[i]) > 15 {
			return false
		}
	}
	return true
}
