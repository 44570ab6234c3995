package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// A journal is a file of entries, each framed as length and CRC-32 (little
// endian, 4 bytes each) and then the entry. One entry is one write(2): what was
// written survives a killed process, because it is the kernel's by then. It does
// not survive a power cut; a simulator need not.
type journal struct {
	file     *os.File
	frame    []byte
	end      int64 // where the last whole entry ends
	replayed bool
}

const (
	frameHeader = 8
	maxEntry    = 2 * maxBody // above anything that one request can change
)

var (
	errCorrupt     = errors.New("not what was written; delete the file to start empty")
	errNotReplayed = errors.New("commit before replay: it would overwrite the journal")
)

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &journal{file: f}, nil
}

// replay reads all whole entries and leaves the file positioned behind the last.
func (j *journal) replay(apply func([]byte) error) error {
	var (
		in     = bufio.NewReaderSize(j.file, 1<<20)
		header [frameHeader]byte
		entry  []byte
		good   int64
	)
	for {
		if _, err := io.ReadFull(in, header[:]); err != nil {
			if torn(err) {
				break
			}
			return fmt.Errorf("read journal entry at byte %d: %w", good, err)
		}
		n := binary.LittleEndian.Uint32(header[:4])
		if n > maxEntry {
			return fmt.Errorf("journal entry at byte %d: %w", good, errCorrupt)
		}
		if uint32(cap(entry)) < n {
			entry = make([]byte, n)
		}
		entry = entry[:n]
		if _, err := io.ReadFull(in, entry); err != nil {
			if torn(err) {
				break
			}
			return fmt.Errorf("read journal entry at byte %d: %w", good, err)
		}
		if crc32.ChecksumIEEE(entry) != binary.LittleEndian.Uint32(header[4:]) {
			return fmt.Errorf("journal entry at byte %d: %w", good, errCorrupt)
		}
		if err := apply(entry); err != nil {
			return fmt.Errorf("replay journal entry at byte %d: %w", good, err)
		}
		good += frameHeader + int64(n)
	}
	if err := j.file.Truncate(good); err != nil {
		return fmt.Errorf("cut the journal's torn end: %w", err)
	}
	j.end, j.replayed = good, true
	return nil
}

// torn reports whether reading stopped at the end of the file.
func torn(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// append writes one entry. When the write fails half-way (a full disk), the part
// is cut off again, so that later entries stay readable.
func (j *journal) append(entry []byte) error {
	if !j.replayed {
		return errNotReplayed
	}
	j.frame = binary.LittleEndian.AppendUint32(j.frame[:0], uint32(len(entry)))
	j.frame = binary.LittleEndian.AppendUint32(j.frame, crc32.ChecksumIEEE(entry))
	j.frame = append(j.frame, entry...)
	if len(entry) > maxEntry {
		return fmt.Errorf("append to the simulator's journal: entry of %d bytes, at most %d", len(entry), maxEntry)
	}
	if _, err := j.file.WriteAt(j.frame, j.end); err != nil {
		return fmt.Errorf("append to the simulator's journal: %w", errors.Join(err, j.file.Truncate(j.end)))
	}
	j.end += int64(len(j.frame))
	return nil
}

func (j *journal) close() error { return j.file.Close() }
