import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readBody } from './body.ts'
import { readHeader } from './header.ts'
import { readLogfmt } from './logfmt.ts'
import { readLine } from './record.ts'
import { microsecondsText, parseTimeUs, wholeSecondsText } from './time.ts'

const receivedUs = 1_462_350_805_000_000
const router =
  '<158>1 2016-05-04T08:33:23.222253+00:00 host heroku router - at=info method=GET path="/haiwen/seafile" host=demo.example request_id=abc fwd="54.1.2.3" dyno=web.1 connect=0ms service=166ms status=200 bytes=36360\n'

const frame = (text: string): string => `${text.length} ${text}`

const read = (text: string, mode: 'absent' | 'present' = 'absent') => {
  const header = readHeader(Buffer.from(text), mode)
  return header && { ...header, msg: header.msg.toString() }
}

describe('record', () => {
  it('writes the nine keys of 2016 first, in their order and form', () => {
    const { value, key, topic, timestamp } = readLine(Buffer.from(router), 'absent', receivedUs)
    assert.equal(
      value,
      '{"prival":158,"version":1,"timestamp":"2016-05-04 08:33:23 +0000","hostname":"host","app_name":"heroku","procid":"router","msgid":null,"structured_data":null,"msg":"at=info method=GET path=\\"/haiwen/seafile\\" host=demo.example request_id=abc fwd=\\"54.1.2.3\\" dyno=web.1 connect=0ms service=166ms status=200 bytes=36360\\n","time":"2016-05-04T08:33:23.222253+00:00","time_us":1462350803222253,"fields":{"at":"info","method":"GET","path":"/haiwen/seafile","host":"demo.example","request_id":"abc","fwd":"54.1.2.3","dyno":"web.1","connect_ms":0,"service_ms":166,"status":200,"bytes":36360,"complete":true,"ambiguous":false}}',
    )
    assert.deepEqual([topic, key, timestamp], ['router', 'abc', 1_462_350_803_222])
  })

  it('keeps the bytes of a line that is cut inside a character', () => {
    const bytes = Buffer.concat([
      Buffer.from('<190>1 2016-05-04T08:33:23+00:00 host app web.1 - caf'),
      Buffer.from([0xc3]),
    ])
    const record = JSON.parse(String(readLine(bytes, 'absent', receivedUs).value)) as Record<
      string,
      unknown
    >
    assert.equal(record['msg'], 'caf\ufffd')
    assert.equal(record['msg_base64'], Buffer.from([0x63, 0x61, 0x66, 0xc3]).toString('base64'))
  })

  it('takes the arrival when a time cannot be read, and keeps its text', () => {
    const line = readLine(Buffer.from('<190>1 yesterday host app web.1 - x'), 'absent', receivedUs)
    const record = JSON.parse(String(line.value)) as Record<string, unknown>
    assert.deepEqual(
      [record['time'], record['time_us'], line.isTimeBad],
      ['yesterday', receivedUs, true],
    )
    assert.equal(line.timestamp, receivedUs / 1000)
  })

  it('stamps lines from far away with their arrival, and leaves their time alone', () => {
    const line = readLine(
      Buffer.from('<190>1 2001-01-01T00:00:00Z host app web.1 - x'),
      'absent',
      receivedUs,
    )
    assert.equal(line.timestamp, receivedUs / 1000)
    assert.equal(
      (JSON.parse(String(line.value)) as { time_us: number }).time_us,
      978_307_200_000_000,
    )
  })

  it('hands a frame without a header over as it came', () => {
    const line = readLine(Buffer.from('<158>1 only three fields'), 'absent', receivedUs)
    assert.deepEqual([line.topic, String(line.value)], ['unreadable', '<158>1 only three fields'])
  })

  it('gives a line the same index whether or not the sender put a loss notice in front', () => {
    const notice =
      '<172>1 2016-05-04T08:33:23+00:00 host heroku logplex - Error L10 (output buffer overflow): 12 messages dropped since 2016-05-04T08:30:00+00:00.'
    const without = readBody(Buffer.from(frame(router) + frame(router)), 'absent', receivedUs)
    const noticed = readBody(
      Buffer.from(frame(notice) + frame(router) + frame(router)),
      'absent',
      receivedUs,
    )
    assert.deepEqual(
      without.map(({ index }) => index),
      [0, 1],
    )
    assert.deepEqual(
      noticed.map(({ index }) => index),
      [-1, 0, 1],
    )
    const [first] = noticed
    assert.ok(first)
    assert.equal(first.read.lost, 12)
  })
})

describe('header', () => {
  it('leaves a message that begins with a dash whole when structured data is absent', () => {
    assert.equal(read('<45>1 T host heroku web.1 - - x')?.msg, '- x')
    assert.equal(read('<45>1 T host heroku web.1 - - x', 'present')?.msg, 'x')
  })

  it('reads structured data with escapes, and strips the byte order mark', () => {
    const header = read('<45>1 T h a p ID [x@1 k="a]\\"b"][y] \ufeffhello', 'present')
    assert.deepEqual(
      [header?.structuredData, header?.msg, header?.msgid],
      ['[x@1 k="a]\\"b"][y]', 'hello', 'ID'],
    )
  })

  it('reads an empty message with and without its space', () => {
    for (const text of [
      '<45>1 T host heroku web.1 -',
      '<45>1 T host heroku web.1 - ',
      '<45>1 T host heroku web.1 -\n',
    ]) {
      assert.deepEqual([read(text)?.msg, read(text)?.msgid], ['', null], JSON.stringify(text))
    }
  })

  it('reads the layout of 2012, whose fields are shifted by one', () => {
    const header = read(
      '<40>1 2012-01-01T00:00:00+00:00 heroku web.3 d.01234567-89ab-cdef-0123-456789abcdef - State changed',
    )
    assert.deepEqual(
      [header?.appName, header?.procid, header?.token, header?.hostname],
      ['heroku', 'web.3', 'd.01234567-89ab-cdef-0123-456789abcdef', null],
    )
  })
})

describe('times', () => {
  it('reads zero to six digits of a second and any offset', () => {
    assert.equal(parseTimeUs('2016-05-04T08:33:23.222253+00:00'), 1_462_350_803_222_253)
    assert.equal(parseTimeUs('2016-05-04T08:33:23Z'), 1_462_350_803_000_000)
    assert.equal(parseTimeUs('2016-05-04T10:33:23.5+02:00'), 1_462_350_803_500_000)
    assert.equal(parseTimeUs('2016-05-04T03:03:23.000001-05:30'), 1_462_350_803_000_001)
    for (const bad of [
      '',
      '-',
      '2016-05-04',
      '2016-05-04 08:33:23Z',
      '2016-13-04T08:33:23Z',
      '2016-05-04T08:33:23',
      '2016-05-04T08:33:23.Z',
      '2016-05-04T08:33:23+0000',
    ])
      assert.ok(Number.isNaN(parseTimeUs(bad)), bad)
  })

  it('writes them back', () => {
    assert.equal(wholeSecondsText(1_462_350_803_222_253), '2016-05-04 08:33:23 +0000')
    assert.equal(microsecondsText(1_462_350_803_222_253), '2016-05-04T08:33:23.222253+00:00')
  })
})

describe('logfmt', () => {
  it('reads samples with their unit', () => {
    assert.deepEqual(
      readLogfmt('source=web.1 dyno=heroku.1 sample#memory_total=99.74MB sample#load_avg_1m=0.01'),
      {
        source: 'web.1',
        dyno: 'heroku.1',
        'sample#memory_total': { value: 99.74, unit: 'MB' },
        'sample#load_avg_1m': { value: 0.01, unit: '' },
      },
    )
  })
  it('reads quotes, escapes and empty values, and keeps prose out', () => {
    assert.deepEqual(readLogfmt('a="x \\"y\\" = z" b= c=1\n'), { a: 'x "y" = z', b: '', c: '1' })
    assert.equal(readLogfmt('State changed from starting to up, x=1'), null)
  })
})
