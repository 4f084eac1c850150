import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../../kit/index.ts'
import { Tokens } from './tokens.ts'

describe('tokens', () => {
  it('give the first reply again for ten minutes', async () => {
    const clock = manualClock()
    const tokens = new Tokens<number>(clock)
    let runs = 0
    const run = (): Promise<number> => Promise.resolve(++runs)
    assert.equal(await tokens.once('a', run), 1)
    clock.advance(9 * 60_000)
    assert.equal(await tokens.once('a', run), 1)
    assert.equal(await tokens.once('b', run), 2)
    clock.advance(60_000)
    assert.equal(await tokens.once('a', run), 3)
  })

  it('share what is under way, and forget what failed', async () => {
    const tokens = new Tokens<number>(manualClock())
    const { promise, reject } = Promise.withResolvers<number>()
    const first = tokens.once('a', () => promise)
    const second = tokens.once('a', () => Promise.resolve(2))
    reject(new Error('no broker'))
    await assert.rejects(first)
    await assert.rejects(second)
    assert.equal(await tokens.once('a', () => Promise.resolve(3)), 3)
  })

  it('keep so many and no more', async () => {
    const tokens = new Tokens<number>(manualClock())
    for (let index = 0; index < 100_100; index++)
      void tokens.once(`t${index}`, () => Promise.resolve(index))
    assert.ok(tokens.size <= 100_000)
    assert.equal(await tokens.once('t0', () => Promise.resolve(-1)), -1)
    assert.equal(await tokens.once('t100099', () => Promise.resolve(-1)), 100_099)
    const long = 'x'.repeat(1024 * 1024)
    for (let index = 0; index < 40; index++)
      void tokens.once(long + index, () => Promise.resolve(index))
    assert.ok(tokens.size <= 16)
  })
})
