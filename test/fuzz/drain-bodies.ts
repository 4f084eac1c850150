/**
 * Mutated Logplex bodies against the drain's readers: no exception, no lost byte, and the same lines wherever
 * the body is cut. `node test/fuzz/drain-bodies.ts [count] [seed]`; prints what replays a failure.
 */
import assert from 'node:assert/strict'
import { pathToFileURL } from 'node:url'

import { readBody } from '../../packages/millrace/src/drain/body.ts'
import { FrameParser } from '../../packages/millrace/src/drain/frame.ts'

type Random = (below: number) => number

/** Mulberry32: small, and the same everywhere for one seed. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const tails = [
  'dyno=web.1 connect=1ms service=20ms status=200 bytes=512 protocol=https tls=true tls_version=tls1.3',
  'dyno= connect= service= status=503 bytes= protocol=http',
  'dyno=web.2 connect=0ms service=3ms status=304 bytes=0',
]
const lines: readonly (readonly [string, string])[] = [
  ...tails.map((tail): readonly [string, string] => [
    'heroku router',
    `at=info method=GET path="/a/b?c=d" host=shop.example request_id=4f6a fwd="203.0.113.9" ${tail}\n`,
  ]),
  ['app web.1', 'Started GET "/" for 203.0.113.9\n'],
  ['heroku web.1', 'source=web.1 sample#memory_total=99.74MB sample#load_avg_1m=0.01'],
  ['heroku logplex', 'Error L10 (output buffer overflow): 3 messages dropped since T.'],
  ['app web.1', 'two\nlines 12 <158>1 inside\n'],
  ['app web.1', ''],
]

function body(random: Random): Buffer {
  const frames: Buffer[] = []
  for (let count = 1 + random(5); count > 0; count--) {
    const [from, msg] = lines[random(lines.length)] ?? ['', '']
    const content = Buffer.from(`<158>1 2026-11-24T10:00:00.123456+00:00 host ${from} - ${msg}`)
    const length = random(10) === 0 ? content.length + random(7) - 3 : content.length
    frames.push(Buffer.from(`${length} `), content)
    if (random(8) === 0) frames.push(Buffer.from('\n'))
  }
  const bytes = Buffer.concat(frames)
  for (let count = random(4); count > 0 && bytes.length > 0; count--) {
    bytes[random(bytes.length)] = random(3) === 0 ? random(256) : (bytes[random(bytes.length)] ?? 0)
  }
  return random(5) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes
}

function pieces(chunks: readonly Buffer[], longest: number): string[] {
  const found: string[] = []
  const parser = new FrameParser(
    {
      frame: (content) => found.push(`f${content.toString('latin1')}`),
      unreadable: (bytes) => found.push(`u${bytes.toString('latin1')}`),
    },
    longest,
  )
  for (const chunk of chunks) parser.push(chunk)
  parser.end()
  return found
}

/** Throws on the first body that breaks a promise. */
export function fuzzBodies(count: number, seed: number): void {
  for (let run = 0; run < count; run++) {
    const random = randomFrom(seed + run)
    const bytes = body(random)
    const replay = `seed ${seed + run}`
    const whole = pieces([bytes], bytes.length)
    const at = random(bytes.length + 1)
    const other = at + random(bytes.length - at + 1)
    const cut = pieces(
      [bytes.subarray(0, at), bytes.subarray(at, other), bytes.subarray(other)],
      bytes.length,
    )
    assert.deepEqual(cut, whole, replay)

    const text = bytes.toString('latin1')
    let position = 0
    for (const piece of whole) {
      const start = text.indexOf(piece.slice(1), position)
      assert.ok(start >= 0, `${replay}: a piece that the body does not hold`)
      assert.match(text.slice(position, start), /^[\r\n \d]*$/, `${replay}: bytes were lost`)
      position = start + piece.length - 1
    }
    assert.match(text.slice(position), /^[\r\n ]*$/, `${replay}: bytes were lost`)

    for (const mode of ['absent', 'present'] as const) {
      for (const { read } of readBody(bytes, mode, 1_700_000_000_000_000)) {
        assert.ok(Number.isFinite(read.timestamp), replay)
        if (read.topic !== 'unreadable') JSON.parse(String(read.value))
      }
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const count = Number(process.argv[2] ?? 100_000)
  const seed = Number(process.argv[3] ?? 1)
  fuzzBodies(count, seed)
  console.log(`${count} bodies, seeds ${seed} to ${seed + count - 1}: nothing thrown, nothing lost`)
}
