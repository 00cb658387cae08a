package formats

import (
	"slices"
	"strings"
)

const gelfName = "gelf"

// gelf is GELF 1.1 and 1.0, the JSON of Graylog: one object a line, or one a frame
// that ends with a zero byte, as over TCP. Source: the GELF specification of Graylog.
// Additional fields begin with "_" and are read by the names that loggers give.
var gelf = Format{
	Name:   gelfName,
	Title:  "GELF (Graylog)",
	Line:   true,
	Detect: detectGELF,
	New: func(o Options) Decoder {
		j := newGenericJSON(gelfName, "GELF log", o, classifyGELF)
		j.json.frames = true
		return &j.json
	},
}

// classifyGELF finds what a path means. The host of GELF is the machine that writes.
func classifyGELF(path string) genericField {
	switch path {
	case "version":
		return genericDropped
	case "host":
		return genericUnmapped
	}
	return genericFieldOf(strings.TrimPrefix(path, "_"))
}

func detectGELF(head []byte) string {
	paths := firstPaths(jsonStart(head))
	if !slices.Contains(paths, "short_message") || !slices.Contains(paths, "version") && !slices.Contains(paths, "host") {
		return ""
	}
	if !slices.Contains(paths, "timestamp") && !slices.ContainsFunc(paths, func(path string) bool { return strings.HasPrefix(path, "_") }) {
		return ""
	}
	return "JSON objects with GELF's short_message and host"
}
