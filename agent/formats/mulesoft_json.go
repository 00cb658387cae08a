package formats

import (
	"bytes"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// mulesoftJSON is the log of a Mule application in a JSON layout of log4j2 (JSONLayout,
// the templates of JsonTemplateLayout), or as the module JSON Logger writes it.
var mulesoftJSON = mulesoftJSONProduct.asFormat()

var mulesoftJSONProduct = &ipaasProduct{
	format: "mulesoft-json", title: "MuleSoft application log (JSON)",
	product: "Mule runtime", vendor: "MuleSoft", log: "application",
	line: true,
	names: map[string]ipaasField{
		"timestamp": ipaasTime, "time": ipaasTime, "timemillis": ipaasTime, "date": ipaasTime2,
		"instantepochsecond": ipaasSeconds, "instantnanoofsecond": ipaasNanos,
		"level": ipaasLevel, "loglevel": ipaasLevel, "priority": ipaasLevel,
		"loggername": ipaasLogger, "logger": ipaasLogger, "loglogger": ipaasLogger,
		"thread": ipaasThread, "threadname": ipaasThread, "processthreadname": ipaasThread,
		"message":                 ipaasMessage,
		"contextmapcorrelationid": ipaasCorrelation, "correlationid": ipaasCorrelation, "mdccorrelationid": ipaasCorrelation, "event": ipaasCorrelation,
		"contextmapprocessorpath": ipaasStep, "processorpath": ipaasStep, "mdcprocessorpath": ipaasStep, "processor": ipaasStep,
		"applicationname": ipaasApp, "app": ipaasApp, "application": ipaasApp,
		"hostname": ipaasHost, "host": ipaasHost,
		"thrownname": ipaasErrorType, "errortype": ipaasErrorType, "exceptionexceptionclass": ipaasErrorType,
		"elapsed":     ipaasDuration,
		"loggerfqcn":  ipaasDropped,
		"endofbatch":  ipaasDropped,
		"ecsversion":  ipaasDropped,
		"environment": ipaasSource,
	},
	needs: [][]string{
		{"level", "logger*", "message", "thread*"},
		{"level", "logger*", "message", "contextmap*"},
		{"level", "logger*", "message", "correlationid"},
		{"loglevel", "loglogger", "message"},
		{"priority", "tracepoint", "correlationid"},
	},
	recognise: func(names []string, head []byte) bool {
		for _, mark := range [][]byte{[]byte("org.mule."), []byte("com.mulesoft."), []byte(".CPU_LITE"), []byte(".CPU_INTENSIVE"), []byte(".BLOCKING"), []byte("[MuleRuntime]"), []byte("processorPath")} {
			if bytes.Contains(head, mark) {
				return true
			}
		}
		return slices.Contains(names, "tracepoint")
	},
	fill: fillMulesoftJSON,
}

func fillMulesoftJSON(r *ipaasReader) *recordFailure {
	e, v := r.e, &r.v
	if v[ipaasSeconds] != "" && v[ipaasTime] == "" {
		v[ipaasTime] = v[ipaasSeconds]
		if n := v[ipaasNanos]; n != "" && len(n) <= 9 && len(v[ipaasSeconds]) <= 11 {
			v[ipaasTime] += "." + strings.Repeat("0", 9-len(n)) + n
		}
	}
	if failure := r.time("timestamp", ipaasTime, ipaasTime2); failure != nil {
		return failure
	}
	m := mulesoftRecord{
		level: v[ipaasLevel], thread: v[ipaasThread], logger: v[ipaasLogger], message: v[ipaasMessage],
		processor: v[ipaasStep], event: v[ipaasCorrelation], errorType: v[ipaasErrorType], app: v[ipaasApp], env: v[ipaasSource],
	}
	m.fill(e)
	setDuration(e, v[ipaasDuration], 1)
	e.Text[schema.SrcEndpointName] = v[ipaasHost]
	return nil
}
