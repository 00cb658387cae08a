package retention

import (
	"testing"

	"github.com/crmwatch/crmwatch/engine/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }
