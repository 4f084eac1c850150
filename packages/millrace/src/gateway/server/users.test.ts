import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { Users } from './users.ts'

const users = new Users([
  {
    name: 'shop',
    password: 'secret',
    rights: [
      { right: 'produce', topics: ['shop-*', 'a.b'] },
      { right: 'consume', topics: ['*'], groups: ['shop', 'shop-*-eu'] },
    ],
  },
  { name: 'nothing', password: 'x' },
])

describe('users', () => {
  it('are let in with their own password alone', () => {
    assert.equal(users.login('shop', 'secret')?.name, 'shop')
    for (const [name, password] of [
      ['shop', 'x'],
      ['shop', ''],
      ['nobody', 'secret'],
      ['', ''],
      ['__proto__', ''],
    ] as const)
      assert.equal(users.login(name, password), undefined)
  })

  it('may do what a rule of theirs names, and nothing else', () => {
    const shop = users.login('shop', 'secret')!
    assert.ok(shop.may('produce', { topic: 'shop-orders' }))
    assert.ok(shop.may('produce', { topic: 'a.b' }))
    assert.ok(!shop.may('produce', { topic: 'a-b' }), 'a dot is a dot')
    assert.ok(!shop.may('produce', { topic: 'my-shop-orders' }))
    assert.ok(!shop.may('admin', { topic: 'shop-orders' }))
    assert.ok(shop.may('consume', { topic: 'anything', group: 'shop' }))
    assert.ok(shop.may('consume', { topic: 'line\nend', group: 'shop-1-eu' }))
    assert.ok(!shop.may('consume', { topic: 'anything', group: 'shop-1-us' }))
    assert.ok(!users.login('nothing', 'x')!.may('consume', { topic: 'a', group: 'b' }))
  })

  it('are nobody before they log in, and everybody where there are none', () => {
    assert.ok(!users.initial.isKnown)
    assert.ok(!users.initial.may('produce', { topic: 'shop-a' }))
    const open = new Users([])
    assert.ok(open.initial.isKnown)
    assert.ok(open.initial.may('admin'))
  })

  it('are refused where names or passwords mean nothing', () => {
    assert.throws(
      () =>
        new Users([
          { name: '', password: '' },
          { name: 'a', password: 'x' },
          { name: 'a', password: 'y' },
        ]),
      (error: Error) => {
        assert.match(error.message, /name is empty/)
        assert.match(error.message, /password is empty/)
        assert.match(error.message, /a is there twice/)
        return true
      },
    )
  })
})
