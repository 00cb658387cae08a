package formats

import (
	"bytes"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const windowsEventsName = "windows-events"

// windowsEvents is an export of the Windows Event Log: XML from wevtutil or Event
// Viewer, CSV from Event Viewer or PowerShell. BPA Platform and other middleware on
// Windows write there; under which name is not documented in public.
var windowsEvents = windowsEventsProduct.asFormat()

var windowsEventsProduct = &ipaasProduct{
	format: windowsEventsName, title: "Windows Event Log (XML or CSV)", element: "Event",
	product: "Windows", vendor: "Microsoft", log: "Application",
	names: map[string]ipaasField{
		"systemtimecreatedsystemtime": ipaasTime, "timecreated": ipaasTime,
		"systemeventrecordid": ipaasID, "recordid": ipaasID,
		"systemprovidername": ipaasSource, "providername": ipaasSource, "source": ipaasSource,
		"systemprovidereventsourcename": ipaasDropped,
		"systemeventid":                 ipaasType, "id": ipaasType, "eventid": ipaasType,
		"systemlevel": ipaasLevel, "level": ipaasLevel, "leveldisplayname": ipaasModifier, "renderinginfolevel": ipaasModifier,
		"systemcomputer": ipaasHost, "machinename": ipaasHost, "computer": ipaasHost,
		"systemchannel": ipaasAPIName, "logname": ipaasAPIName,
		"systemsecurityuserid": ipaasUserID, "userid": ipaasUserID,
		"systemcorrelationactivityid": ipaasCorrelation, "activityid": ipaasCorrelation,
		"renderinginfomessage": ipaasMessage, "message": ipaasMessage,
		"eventdatadata":            ipaasParts,
		"eventdatatask":            ipaasApp,
		"eventdatataskname":        ipaasApp,
		"eventdatastep":            ipaasStep,
		"eventdatastepname":        ipaasStep,
		"eventdatauser":            ipaasUserName,
		"eventdatausername":        ipaasUserName,
		"eventdatarunid":           ipaasCorrelation2,
		"systemversion":            ipaasDropped,
		"systemkeywords":           ipaasDropped,
		"keywords":                 ipaasDropped,
		"systemopcode":             ipaasDropped,
		"systemtask":               ipaasDropped,
		"systemexecutionprocessid": ipaasUnmapped,
		"systemexecutionthreadid":  ipaasDropped,
		"renderinginfoculture":     ipaasDropped,
		"renderinginfoprovider":    ipaasDropped,
		"renderinginfochannel":     ipaasDropped,
	},
	needs: [][]string{{"timecreated", "id", "providername"}, {"timecreated", "leveldisplayname", "message"}},
	recognise: func(names []string, head []byte) bool {
		return names == nil && bytes.Contains(head, []byte("<System>")) && bytes.Contains(head, []byte("TimeCreated"))
	},
	other: eventViewerCSV,
	fill:  fillWindowsEvent,
}

// eventViewerColumns are the header of Event Viewer's CSV; its rows have one column
// more, with the message.
const eventViewerColumns = "level,dateandtime,source,eventid,taskcategory"

func eventViewerCSV(head []byte, o Options) Decoder {
	first, _, _ := bytes.Cut(bytes.TrimLeft(head, " \t\r\n\x00"), []byte{'\n'})
	if len(first) >= headSize {
		return nil
	}
	columns := bpaHeader(bytes.TrimRight(first, "\r "))
	var plain []string
	for _, c := range columns {
		plain = append(plain, plainName(c.name))
	}
	if strings.Join(plain, ",") != eventViewerColumns {
		return nil
	}
	lines := bpaLines{name: windowsEventsName, columns: columns, extra: ipaasMessage}
	lines.finish = func(e *schema.Event, v *[ipaasFields]string) {
		e.Text[schema.MetadataLogName] = "Application"
		finishWindowsEvent(e, v)
	}
	return lines.decoder(o)
}

func fillWindowsEvent(r *ipaasReader) *recordFailure {
	if failure := r.time("TimeCreated", ipaasTime); failure != nil {
		return failure
	}
	e, v := r.e, &r.v
	e.Text[schema.MetadataOriginalEventUID] = v[ipaasID]
	e.Text[schema.MetadataLogName] = v[ipaasAPIName]
	finishWindowsEvent(e, v)
	if v[ipaasID] != "" { // it counts for one log of one computer
		v[ipaasID] += "\n" + v[ipaasHost] + "\n" + v[ipaasAPIName]
	}
	return nil
}

// windowsLevels are the numbers of System/Level.
var windowsLevels = map[string]string{"1": "critical", "2": "error", "3": "warning", "0": "information", "4": "information", "5": "verbose"}

// finishWindowsEvent turns the fields into an event. The lines "Task: NAME" and the
// like, which middleware writes into its messages, are read too.
func finishWindowsEvent(e *schema.Event, v *[ipaasFields]string) {
	if v[ipaasMessage] == "" {
		v[ipaasMessage] = v[ipaasParts]
	} else if v[ipaasParts] != v[ipaasMessage] {
		e.AddUnmapped("EventData.Data", v[ipaasParts])
	}
	if level, known := windowsLevels[v[ipaasLevel]]; known {
		v[ipaasLevel] = level
	} else if v[ipaasLevel] == "" {
		v[ipaasLevel] = v[ipaasModifier]
	}
	if v[ipaasCorrelation] == "" {
		v[ipaasCorrelation] = v[ipaasCorrelation2]
	}
	provider := v[ipaasSource]
	isBPA := false
	for _, name := range []string{"taskcentre", "bpaplatform", "codeless", "bpaserver"} {
		isBPA = isBPA || strings.Contains(plainName(provider), name)
	}
	if isBPA {
		messageFields(v)
	}
	log := e.Text[schema.MetadataLogName]
	v[ipaasSource] = ""
	finishBPA(e, v)
	e.Text[schema.MetadataLogName] = log
	e.Text[schema.ActorUserUID] = v[ipaasUserID]
	e.Text[schema.APIServiceName] = provider
	if !isBPA {
		e.Text[schema.MetadataProductName], e.Text[schema.MetadataProductVendorName] = "Windows", "Microsoft"
		e.Number[schema.ActorUserTypeID] = 0
	}
}

// messageFields reads the lines "NAME: VALUE" of a message.
func messageFields(v *[ipaasFields]string) {
	n := 0
	for line := range strings.Lines(v[ipaasMessage][:min(len(v[ipaasMessage]), maxSearched)]) {
		if n++; n > 30 {
			break
		}
		name, value, found := strings.Cut(strings.TrimSpace(line), ":")
		if !found || len(name) > 20 {
			continue
		}
		switch field := bpaNames[plainName(name)]; field {
		case ipaasApp, ipaasStep, ipaasUserName, ipaasCorrelation:
			if v[field] == "" {
				v[field] = strings.TrimSpace(value)
			}
		}
	}
}
