import { isDefault, layoutOf, mayBeNull, noBytes, type NamedField } from './facts.ts'
import type { Field, Shape } from './field.ts'
import { Code, defaultSource, generate } from './generate.ts'
import type { Encode } from './interpret.ts'

/** The encoder of a shape as straight-line code, lists as loops. What is undefined is the default. */
export function compileEncoder(shape: Shape, version: number, isFlexible: boolean): Encode {
  const code = new Code()
  const emit = new EncoderEmitter(code, version, isFlexible)
  emit.struct(shape, 'v')
  return generate('w, v', code, '', { noBytes, tests: emit.tests }) as Encode
}

class EncoderEmitter {
  /** Whether a struct holds nothing but defaults, asked by generated code as `tests[n](value)`. */
  readonly tests: ((value: unknown) => boolean)[] = []
  readonly #code: Code
  readonly #version: number
  readonly #isFlexible: boolean

  constructor(code: Code, version: number, isFlexible: boolean) {
    this.#code = code
    this.#version = version
    this.#isFlexible = isFlexible
  }

  struct(shape: Shape, value: string): void {
    const code = this.#code
    const { inPlace, tagged } = layoutOf(shape, this.#version, this.#isFlexible)
    for (const { name, field } of inPlace) {
      const variable = code.name()
      code.line(`let ${variable} = ${value}.${name}`)
      code.line(`if (${variable} === undefined) ${variable} = ${defaultSource(field)}`)
      this.value(field, variable)
    }
    if (this.#isFlexible) this.#tags(tagged, value)
  }

  #tags(tagged: readonly NamedField[], value: string): void {
    const code = this.#code
    if (tagged.length === 0) {
      code.line('w.uvarint(0)')
      return
    }
    const present = tagged.map(({ name, field }) => {
      const [variable, isPresent] = [code.name(), code.name()]
      code.line(`const ${variable} = ${value}.${name}`)
      code.line(`const ${isPresent} = !(${this.#isDefault(field, variable)})`)
      return { field, variable, isPresent }
    })
    const counted = present.map(({ isPresent }) => `(${isPresent} ? 1 : 0)`)
    code.line(`w.uvarint(${counted.join(' + ')})`)
    for (const { field, variable, isPresent } of present) {
      const start = code.name()
      code.line(`if (${isPresent}) {`)
      code.line(`const ${start} = w.beginTag(${field.spec.tag})`)
      this.value(field, variable)
      code.line(`w.endTag(${start})`)
      code.line('}')
    }
  }

  #isDefault(field: Field<unknown>, variable: string): string {
    switch (field.spec.kind) {
      case 'i8':
      case 'i16':
      case 'u16':
      case 'i32':
      case 'i64':
      case 'bool':
      case 'uuid':
      case 'string':
        return `${variable} === undefined || ${variable} === ${defaultSource(field)}`
      case 'list':
      case 'bytes':
      case 'records':
      case 'struct': {
        const at = this.tests.push((value) => isDefault(field, value)) - 1
        return `tests[${at}](${variable})`
      }
    }
  }

  value(field: Field<unknown>, variable: string): void {
    const code = this.#code
    const { spec } = field
    const nullable = mayBeNull(field, this.#version)
    const isFlexible = this.#isFlexible
    switch (spec.kind) {
      case 'i8':
      case 'i16':
      case 'u16':
      case 'i32':
      case 'i64':
      case 'bool':
      case 'uuid':
        code.line(`w.${spec.kind}(${variable})`)
        break
      case 'string':
        code.line(`w.${isFlexible ? 'compactString' : 'string16'}(${variable}, ${nullable})`)
        break
      case 'bytes':
        code.line(`w.${isFlexible ? 'compactBytes' : 'bytes32'}(${variable}, ${nullable})`)
        break
      case 'records':
        code.line(`w.${isFlexible ? 'compactRecords' : 'records32'}(${variable}, ${nullable})`)
        break
      case 'list': {
        const [count, index, element] = [code.name(), code.name(), code.name()]
        const write = isFlexible ? 'compactCount' : 'count32'
        code.line(`const ${count} = w.${write}(${variable}, ${nullable})`)
        code.line(`for (let ${index} = 0; ${index} < ${count}; ${index}++) {`)
        code.line(`const ${element} = ${variable}[${index}]`)
        this.value(spec.element!, element)
        code.line('}')
        break
      }
      case 'struct':
        code.line(`if (w.isPresent(${variable}, ${nullable})) {`)
        this.struct(spec.shape!, variable)
        code.line('}')
        break
    }
  }
}
