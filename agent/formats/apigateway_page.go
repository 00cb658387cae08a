package formats

import (
	"errors"
	"strings"
	"unsafe"
)

// cloudWatchPage is what stands around log events: the object that a subscription
// delivers ({"messageType":"DATA_MESSAGE",...,"logEvents":[...]}), or the answer to
// get-log-events and filter-log-events ({"events":[...]}).
type cloudWatchPage struct {
	open bool
	// control: CloudWatch only checks whether the destination can be reached.
	control bool
	// account, group and stream are the members owner, logGroup and logStream.
	account, group, stream string
}

// maxPageName is longer than the name of any log group or log stream.
const maxPageName = 1024

// cloudWatchPageStart reads a page up to its first log event. n is 0 when the object at
// the start of data is no page; more says that it has to see more.
func cloudWatchPageStart(data []byte) (page cloudWatchPage, n int, more bool) {
	page.open = true
	for i := 1; ; {
		for i < len(data) && isJSONSpace(data[i]) {
			i++
		}
		if i >= len(data) {
			return page, 0, true
		}
		length := 0
		if data[i] == '"' {
			if length = jsonStringLength(data[i:]); length == 0 {
				return page, 0, true
			}
		}
		if length < 3 {
			return page, 0, false
		}
		name := string(data[i+1 : i+length-1])
		switch name {
		case "messageType", "owner", "logGroup", "logStream", "subscriptionFilters", "policyLevel", "logEvents",
			"events", "searchedLogStreams", "nextToken", "nextForwardToken", "nextBackwardToken":
		default:
			return page, 0, false
		}
		i += length
		i += jsonSpace(data[i:])
		if i < len(data) && data[i] != ':' {
			return page, 0, false
		}
		i = min(i+1, len(data))
		if i += jsonSpace(data[i:]); i >= len(data) {
			return page, 0, true
		}
		if (name == "logEvents" || name == "events") && data[i] == '[' {
			return page, i + 1, false
		}
		if length = jsonValueLength(data[i:]); length == 0 {
			return page, 0, true
		}
		if length <= maxPageName {
			value := validText(strings.Trim(string(data[i:i+length]), `"`))
			switch name {
			case "messageType":
				page.control = value == "CONTROL_MESSAGE"
			case "owner":
				page.account = value
			case "logGroup":
				page.group = value
			case "logStream":
				page.stream = value
			}
		}
		i += length
	}
}

// What a name in a log event means.
const (
	logEventOther = iota
	logEventMessage
	logEventTime
	logEventStream
	logEventGroup
	logEventFields
)

// classifyLogEvent finds what a name in a log event means; @message and @timestamp are
// those of Logs Insights. The rest is about delivery.
func classifyLogEvent(path string) int {
	switch path {
	case "message", "@message":
		return logEventMessage
	case "timestamp", "@timestamp":
		return logEventTime
	case "logStreamName", "@logStream":
		return logEventStream
	case "@log":
		return logEventGroup
	}
	return logEventOther
}

// hasMessage says whether the last object is a log event.
func hasMessage(o *jsonObjects) bool {
	for i := range o.leaves {
		if path := o.leaves[i].node.path; path == "message" || path == "@message" {
			return true
		}
	}
	return false
}

// hasRequest says whether the last object is a record by itself.
func hasRequest(o *jsonObjects) bool {
	for i := range o.leaves {
		switch o.leaves[i].node.field {
		case apiGatewayRequestID, apiGatewayMethod, apiGatewayStatus:
			return true
		}
	}
	return false
}

// logEvent deals with the log event that was just scanned.
func (l *apiGatewayLog) logEvent(raw []byte, sink Sink) {
	var values [logEventFields]string
	for i := range l.events.leaves {
		leaf := &l.events.leaves[i]
		if leaf.node.field != logEventOther {
			values[leaf.node.field] = leaf.text
		}
	}
	message := strings.TrimSpace(values[logEventMessage])
	if l.page.control || strings.HasPrefix(message, "CWL CONTROL MESSAGE:") {
		return // CloudWatch's own check is no record of anybody's call
	}
	l.begin()
	if ms, ok := l.call.clock.millis(values[logEventTime]); ok {
		l.call.stamp = ms
	}
	e := &l.event
	e.AddUnmapped("owner", l.page.account)
	for name, value := range [...]string{logEventGroup: l.page.group, logEventStream: l.page.stream} {
		if values[name] == "" {
			values[name] = value
		}
	}
	e.AddUnmapped("logGroup", values[logEventGroup])
	e.AddUnmapped("logStream", values[logEventStream])
	l.give(raw, l.message(message), sink)
}

// message reads one record, which is all of the text.
func (l *apiGatewayLog) message(text string) *recordFailure {
	switch {
	case text == "":
		return &recordFailure{ReasonUnknownFormat, "the log event has no message"}
	case text[0] != '{':
		return l.plain(text)
	}
	raw := unsafe.Slice(unsafe.StringData(text), len(text))
	if n, err := l.objects.object(raw); (err != nil || n != len(raw)) && !l.mend(raw) {
		if errors.Is(err, errJSONCut) {
			return &recordFailure{ReasonCut, "the record is not closed: it was cut off"}
		}
		return &recordFailure{ReasonSyntax, "the record is not valid JSON: API Gateway does not escape the quotes in a value, and here it cannot be told which they are; log $context.error.messageString without quotes in place of $context.error.message"}
	}
	return l.record()
}

// text reads a line: a record, with the time before it that CloudWatch's exports and
// aws logs tail write.
func (l *apiGatewayLog) text(line string) *recordFailure {
	if end := strings.IndexAny(line, " \t"); end >= 20 && line[4] == '-' {
		if ms, ok := l.call.clock.millis(line[:end]); ok {
			l.call.stamp = ms
			line = strings.TrimLeft(line[end:], " \t")
			if word, rest, found := strings.Cut(line, " "); found && rest != "" && (rest[0] == '{' || rest[0] == '<') && word[0] != '{' && word[0] != '<' {
				l.event.AddUnmapped("logStream", validText(word))
				line = rest
			}
		}
	}
	return l.message(line)
}
