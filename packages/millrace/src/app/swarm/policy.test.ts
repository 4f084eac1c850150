import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { judgeChild, restartDelayMs, type SwarmRules } from './policy.ts'

const rules: SwarmRules = {
  reportEveryMs: 10_000,
  lookEveryMs: 30_000,
  silentAfterMs: 60_000,
  restartAfterMs: 5000,
  memoryLimitBytes: 1000,
  crashLimit: 5,
  shutdownTimeoutMs: 60_000,
}

describe('a parent', () => {
  it('takes a child for hung when it was silent for too long', () => {
    assert.equal(judgeChild({ heardMs: 0, memoryBytes: 1 }, 60_000, rules), 'fine')
    assert.equal(judgeChild({ heardMs: 0, memoryBytes: 1 }, 60_001, rules), 'silent')
  })

  it('takes a child above its limit for too large, if there is one', () => {
    assert.equal(judgeChild({ heardMs: 0, memoryBytes: 1001 }, 1, rules), 'fat')
    const { memoryLimitBytes: _, ...more } = rules
    const unlimited = { ...more, memoryLimitBytes: undefined }
    assert.equal(judgeChild({ heardMs: 0, memoryBytes: 1e12 }, 1, unlimited), 'fine')
  })

  it('waits longer each time that a child did not last, up to five minutes', () => {
    assert.deepEqual(
      [1, 2, 3, 20].map((failures) => restartDelayMs(failures, rules)),
      [5000, 10_000, 20_000, 300_000],
    )
  })
})
