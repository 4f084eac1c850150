import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'

import { manualClock } from '../../kit/index.ts'
import { bannerText } from './banner.ts'
import type { DevCompanion } from './companion.ts'
import { openScreen, progressBar } from './screen.ts'

class Captured extends Writable {
  text = ''
  columns = 40
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

function companionAt(done: () => number): DevCompanion {
  return {
    addresses: [],
    progress: () => ({ label: 'requests', done: done(), total: 1000 }),
    live: () => `${'x'.repeat(60)}\nend`,
    finished: Promise.resolve(),
    report: () => Promise.resolve({ text: '', document: {} }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

describe('the banner', () => {
  it('shows addresses first, how durable the data is, and what runs', () => {
    const text = bannerText({
      version: '1.0.0',
      broker: 'localhost:9092',
      drainUrl: undefined,
      addresses: [{ label: 'site', url: 'http://127.0.0.1:1/' }],
      dataFolder: '/data',
      dataSize: '16 MiB',
      isDurable: true,
      application: '/app',
      consumers: [{ name: 'mail', group: 'g', topics: ['orders', 'users'] }],
      readyMs: 120.4,
      notes: ['port 9092 is taken, the broker uses 9093'],
    })
    assert.equal(
      text,
      `Millrace 1.0.0
  broker       localhost:9092   KAFKA_URL=kafka://localhost:9092
               an ordinary Kafka cluster: kcat -b localhost:9092 -L
  site         http://127.0.0.1:1/
  data         /data (16 MiB), survives a crash of the process
  application  /app
  consumer     mail (group g) reads orders, users
  note         port 9092 is taken, the broker uses 9093
  look inside  npx millrace tail orders --brokers localhost:9092
  ready        in 120 ms; Ctrl-C stops`,
    )
  })
})

describe('the screen', () => {
  it('draws in place on a terminal, never wider than it', () => {
    const out = new Captured()
    const clock = manualClock()
    using screen = openScreen(
      companionAt(() => 500),
      { out, isTerminal: true, clock },
    )
    assert.equal(
      out.text.split('\n').every((line) => line.length <= 40),
      true,
    )
    out.text = ''
    screen.note('warning: hot')
    assert.equal(out.text.startsWith('\u001b[3A\u001b[0Jwarning: hot\nrequests'), true)
    out.text = ''
    screen.clear()
    assert.equal(out.text, '\u001b[3A\u001b[0J')
  })

  it('says a line at every tenth elsewhere', () => {
    const out = new Captured()
    const clock = manualClock()
    let done = 0
    {
      using _screen = openScreen(
        companionAt(() => done),
        { out, isTerminal: false, clock },
      )
      for (done = 0; done < 350; done += 10) clock.advance(250)
    }
    assert.deepEqual(out.text.trim().split('\n'), [
      'requests: 0 of 1000',
      'requests: 100 of 1000',
      'requests: 200 of 1000',
      'requests: 300 of 1000',
    ])
    assert.equal(clock.waiting, 0)
  })

  it('fills its bar with the share that is done', () => {
    assert.equal(
      progressBar({ label: 'requests', done: 5000, total: 10_000 }),
      `requests  ${'█'.repeat(16)}${'░'.repeat(16)}  5,000 of 10,000  50 %`,
    )
  })
})
