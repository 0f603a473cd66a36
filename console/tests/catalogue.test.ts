import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../src/language/catalogue.ts';
import { textIn } from '../src/language/language.ts';

const SOURCES = readdirSync(join(import.meta.dirname, '../src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('catalogue.ts'))
  .map((name) => ({ name, text: readFileSync(join(import.meta.dirname, '../src', name), 'utf8') }));

const namesIn = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

describe('the catalogue', () => {
  it.each(Object.entries(CATALOGUE))('has %s in both languages, with the same values', (_, [english, spanish]) => {
    expect(english.trim()).not.toBe('');
    expect(spanish.trim()).not.toBe('');
    expect(namesIn(spanish)).toEqual(namesIn(english));
  });

  it('holds no text that no page shows', () => {
    const all = SOURCES.map(({ text }) => text).join('\n');
    expect(Object.keys(CATALOGUE).filter((key) => !all.includes(`'${key}'`))).toEqual([]);
  });

  it('holds every text that a page shows', () => {
    // Words between tags, and words in the properties that people read.
    const written = [
      /(?<!=)>\s*([A-Z][a-z]+(?: [a-z]+)*[.:]?)\s*</g,
      /\b(?:label|header|headerText|description|constraintText|errorText|ariaLabel|title)=?[:=] ?["'`]([A-Z][a-z]+ [^"'`]+)["'`]/g,
    ];
    const found = SOURCES.filter(({ name }) => name.endsWith('.tsx')).flatMap(({ name, text }) =>
      written.flatMap((pattern) => [...text.matchAll(pattern)].map(([, words]) => `${name}: ${words}`)),
    );
    expect(found).toEqual([]);
  });

  it('puts values into the text', () => {
    expect(textIn('en', 'eventSaved', { name: 'test' })).toBe('Saved the event test.');
    expect(textIn('es', 'eventSaved', { name: 'test' })).toBe('Se guardó el evento test.');
  });
});
