package agent

import (
	"fmt"
	"os"
	"path/filepath"
)

// replaceFile writes data to DIR/NAME so that after a crash at any point the file
// holds either what it held before or all of data.
func replaceFile(dir, name string, data []byte) error {
	temporary, err := writeTemporary(dir, name, data)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(dir, name)); err != nil {
		os.Remove(temporary)
		return fmt.Errorf("replace %s: %w", name, err)
	}
	return syncFolder(dir)
}

// writeTemporary writes and syncs a new file of mode 0600 and returns its path.
func writeTemporary(dir, name string, data []byte) (string, error) {
	f, err := os.CreateTemp(dir, name+".*.tmp")
	if err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return f.Name(), nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("sync folder %s: %w", dir, err)
	}
	return nil
}
