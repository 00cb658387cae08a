package formats

import "testing"

func FuzzOTLP(f *testing.F)       { fuzzIPaaS(f, otlp) }
func FuzzGELF(f *testing.F)       { fuzzIPaaS(f, gelf) }
func FuzzLogfmt(f *testing.F)     { fuzzIPaaS(f, logfmt) }
func FuzzJSONLines(f *testing.F)  { fuzzIPaaS(f, jsonLines) }
func FuzzGenericCSV(f *testing.F) { fuzzIPaaS(f, genericCSV) }
