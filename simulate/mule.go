package simulate

import (
	"encoding/json"
	"fmt"
	"time"
)

// muleLine is a line of a Mule runtime's log in a JSON layout of log4j2.
type muleLine struct {
	Timestamp   string `json:"timestamp"`
	Level       string `json:"level"`
	Thread      string `json:"thread"`
	Logger      string `json:"loggerName"`
	Message     string `json:"message"`
	Correlation string `json:"correlationId"`
	Processor   string `json:"processorPath"`
	Application string `json:"applicationName"`
}

// muleApp is the application that carries the calls of the n-th integration of a kind.
func muleApp(round int) string {
	if round == 0 {
		return "erp-sync"
	}
	return fmt.Sprintf("erp-sync-%d", round+1)
}

// carried writes the middleware's line about a call that it makes of Salesforce: the
// correlation id is the one that it stamps on the call.
func (w *world) carried(in *integration, when time.Time, id, entity string) {
	if in.flow == "" || w.mule == nil {
		return
	}
	when = when.Add(-40 * time.Millisecond)
	if in.fails.holds(when) {
		w.muleLog(in.flow, when, "ERROR", id, muleError(in.flow, "SALESFORCE:INVALID_INPUT", "No such column 'External_Number__c' on sobject of type Order"))
		return
	}
	w.muleLog(in.flow, when, "INFO", id, "Sent "+entity+" to Salesforce")
}

// muleLog writes one line of an application.
func (w *world) muleLog(app string, when time.Time, level, correlation, message string) {
	l := muleLine{
		Timestamp: when.UTC().Format("2006-01-02T15:04:05.000Z"), Level: level, Thread: "[MuleRuntime].uber.02: [" + app + "].orders-flow.CPU_LITE @5f1a",
		Logger: "org.mule.runtime.core.internal.processor.LoggerMessageProcessor", Message: message, Correlation: correlation,
		Processor: "orders-flow/processors/3", Application: app,
	}
	if level == "ERROR" {
		l.Logger = "org.mule.runtime.core.internal.exception.OnErrorPropagateHandler"
	}
	line, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings always encode
	}
	w.mule.add(when, func(to []byte) []byte { return append(to, line...) })
}

// muleError is the block that Mule writes when a flow fails.
func muleError(app, kind, detail string) string {
	return "\n********************************************************************************\nMessage               : " + detail +
		"\nElement               : orders-flow/processors/3 @ " + app + ":orders.xml:31 (Upsert order)\nError type            : " + kind +
		"\n********************************************************************************\n"
}
