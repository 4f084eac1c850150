import { hasField, layoutOf, leastBytes, mayBeNull, noBytes } from './facts.ts'
import type { Field, Shape } from './field.ts'
import { Code, defaultSource, generate } from './generate.ts'
import type { Decode } from './interpret.ts'

/**
 * The decoder of a shape as straight-line code, lists as loops. Every struct is one object literal
 * with all fields in one order, so that V8 sees one hidden class whatever the version.
 */
export function compileDecoder(shape: Shape, version: number, isFlexible: boolean): Decode {
  const code = new Code()
  const emit = new DecoderEmitter(code, version, isFlexible)
  const result = emit.struct(shape)
  return generate('r', code, `return ${result}`, { noBytes, tests: [] }) as Decode
}

class DecoderEmitter {
  readonly #code: Code
  readonly #version: number
  readonly #isFlexible: boolean

  constructor(code: Code, version: number, isFlexible: boolean) {
    this.#code = code
    this.#version = version
    this.#isFlexible = isFlexible
  }

  /** Emits the reading; returns the literal that makes the object. */
  struct(shape: Shape): string {
    const code = this.#code
    const parts: string[] = []
    const nameByTag = new Map<number, string>()
    for (const [name, field] of Object.entries(shape)) {
      if (!hasField(field, this.#version)) {
        parts.push(`${name}: ${defaultSource(field)}`)
      } else if (field.spec.tag < 0) {
        parts.push(`${name}: ${this.value(field)}`)
      } else {
        const variable = code.name()
        code.line(`let ${variable} = ${defaultSource(field)}`)
        parts.push(`${name}: ${variable}`)
        nameByTag.set(field.spec.tag, variable)
      }
    }
    if (this.#isFlexible) this.#tags(shape, nameByTag)
    return `{ ${parts.join(', ')} }`
  }

  #tags(shape: Shape, nameByTag: ReadonlyMap<number, string>): void {
    const code = this.#code
    const { tagged } = layoutOf(shape, this.#version, this.#isFlexible)
    if (tagged.length === 0) {
      code.line('r.skipTags()')
      return
    }
    const [left, tag, end] = [code.name(), code.name(), code.name()]
    code.line(`for (let ${left} = r.uvarint(); ${left} > 0; ${left}--) {`)
    code.line(`const ${tag} = r.uvarint()`)
    code.line(`const ${end} = r.tagEnd(r.uvarint())`)
    code.line(`switch (${tag}) {`)
    for (const { field } of tagged) {
      code.line(`case ${field.spec.tag}: {`)
      code.line(`${nameByTag.get(field.spec.tag)!} = ${this.value(field)}`)
      code.line(`r.expectAt(${end})`)
      code.line('break }')
    }
    code.line(`default: r.position = ${end}`)
    code.line('}}')
  }

  /** Emits the reading of a value; returns a name that holds it. */
  value(field: Field<unknown>): string {
    const code = this.#code
    const { spec } = field
    const nullable = mayBeNull(field, this.#version)
    const variable = code.name()
    switch (spec.kind) {
      case 'i8':
      case 'i16':
      case 'u16':
      case 'i32':
      case 'i64':
      case 'bool':
      case 'uuid':
        code.line(`const ${variable} = r.${spec.kind}()`)
        break
      case 'string':
        code.line(
          `const ${variable} = r.${this.#isFlexible ? 'compactString' : 'string16'}(${nullable})`,
        )
        break
      case 'bytes':
      case 'records':
        code.line(
          `const ${variable} = r.${this.#isFlexible ? 'compactBytes' : 'bytes32'}(${nullable})`,
        )
        break
      case 'list':
        this.#list(variable, spec.element!, nullable)
        break
      case 'struct':
        if (nullable) {
          code.line(`let ${variable} = null`)
          code.line(`if (r.isPresent(true)) {`)
          code.line(`${variable} = ${this.struct(spec.shape!)}`)
          code.line('}')
        } else {
          code.line(`const ${variable} = ${this.struct(spec.shape!)}`)
        }
        break
    }
    return variable
  }

  #list(variable: string, element: Field<unknown>, nullable: boolean): void {
    const code = this.#code
    const least = leastBytes(element, this.#version, this.#isFlexible)
    const [count, index] = [code.name(), code.name()]
    const read = this.#isFlexible ? 'compactCount' : 'count32'
    code.line(`const ${count} = r.${read}(${nullable}, ${least})`)
    // Grows by pushing: a count that lies costs no memory before its elements have been read.
    code.line(`const ${variable} = ${nullable ? `${count} < 0 ? null : ` : ''}[]`)
    code.line(`for (let ${index} = 0; ${index} < ${count}; ${index}++) {`)
    code.line(`${variable}.push(${this.value(element)})`)
    code.line('}')
  }
}
