package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/huff0"
	"github.com/klauspost/compress/zstd"

	"github.com/penstock-data/penstock/shared/run"
)

// A batch is written twice and charged by the KB, so that it is packed: below 1 KB,
// 2,000 rows cost one unit a write.

// dictionary is what most batches' JSON has in common. It is part of format 1: never
// change it.
const dictionary = `"faults":[{"Field":"","Rule":"missing","Message":"the column is missing"}],"least":"2026-01-01T00:00:00Z",` +
	`"failures":[{"stage":"intake","error_type":"missing","field":"","rows":1}],` +
	`{"run":"","id":"","sync":"","version":"v","body_hash":"","sent":false,"sequence":1,"at":"2026-01-01T00:00:00.000000000Z","cursor":"2026-01-01T00:00:00Z","chunks":4,` +
	`"counts":{"received":0,"queued":0,"rejected":0,"blocked":0,"superseded":0,"delivered":0,"unchanged":0,"failed":0,"cancelled":0,"calls":0,"no_cursor":0}}`

// maxBody is the most bytes that a batch's JSON may have, unpacked.
const maxBody = 1 << 20

var packer = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false),
		zstd.WithSingleSegment(true), zstd.WithEncoderDictRaw(format, []byte(dictionary)))
})

var unpacker = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxBody),
		zstd.WithDecoderDictRaw(format, []byte(dictionary)))
})

// packBody compresses the JSON of a batch.
func packBody(b run.Batch) ([]byte, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	return packText(text)
}

func packText(text []byte) ([]byte, error) {
	z, err := packer()
	if err != nil {
		return nil, err
	}
	return z.EncodeAll(text, nil), nil
}

func unpackText(packed []byte) ([]byte, error) {
	z, err := unpacker()
	if err != nil {
		return nil, err
	}
	return z.DecodeAll(packed, nil)
}

// unpackBody is its inverse. Its error quotes nothing (I6).
func unpackBody(packed []byte) (b run.Batch, err error) {
	text, err := unpackText(packed)
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	if err != nil {
		return run.Batch{}, errors.New("the body is damaged")
	}
	return b, nil
}

// How the codes of a batch's rows are kept, as the first byte.
const (
	plainCodes   = 0 // as run.PackCodes packed them
	huffmanCodes = 1 // their number, a varint, and a byte each by Huffman's code (package huff0)
)

// packCodes makes what run.PackCodes packed smaller where it can: lanes come with
// equal frequency, and are not worth the same bits as a rare fault.
func packCodes(packed []byte) []byte {
	if len(packed) == 0 {
		return nil
	}
	plain := append([]byte{plainCodes}, packed...)
	codes, err := run.UnpackCodes(packed)
	if err != nil || !bytes.Equal(run.PackCodes(codes), packed) {
		return plain
	}
	each := make([]byte, len(codes))
	for n, c := range codes {
		if each[n] = byte(c); run.Code(each[n]) != c {
			return plain
		}
	}
	if len(each) > huff0.BlockSizeMax {
		return plain
	}
	z, _, err := huff0.Compress1X(each, &huff0.Scratch{})
	if err != nil { // nothing is won: one lane, or very few rows
		return plain
	}
	out := append(binary.AppendUvarint([]byte{huffmanCodes}, uint64(len(each))), z...)
	if len(out) >= len(plain) {
		return plain
	}
	return out
}

var errCodes = errors.New("the codes are damaged")

// unpackCodes is its inverse.
func unpackCodes(b []byte) ([]byte, error) {
	switch {
	case len(b) == 0:
		return nil, nil
	case b[0] == plainCodes:
		return b[1:], nil
	case b[0] != huffmanCodes:
		return nil, fmt.Errorf("%w: the codes have format %d, this program knows formats %d and %d", run.ErrFormat, b[0], plainCodes, huffmanCodes)
	}
	n, size := binary.Uvarint(b[1:])
	if size <= 0 || n > huff0.BlockSizeMax {
		return nil, errCodes
	}
	table, rest, err := huff0.ReadTable(b[1+size:], nil)
	if err != nil {
		return nil, errCodes
	}
	each, err := table.Decoder().Decompress1X(make([]byte, 0, n), rest)
	if err != nil || uint64(len(each)) != n {
		return nil, errCodes
	}
	codes := make([]run.Code, n)
	for i, c := range each {
		codes[i] = run.Code(c)
	}
	return run.PackCodes(codes), nil
}
