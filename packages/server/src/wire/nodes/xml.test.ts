import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeXml, parseXml } from './xml.ts';

describe('XML from clients', () => {
  it('gives names without prefixes, attributes, text and children', () => {
    const root = parseXml(
      '<?xml version="1.0"?>\n<!-- a note --><x:A xmlns:x="urn:x"><B t=\'1&amp;2\'> b &lt;</B><C/><D><![CDATA[<d>]]></D></x:A>\n',
    );
    expect(root).toEqual({
      name: 'A',
      attributes: new Map(),
      text: '',
      children: [
        { name: 'B', attributes: new Map([['t', '1&2']]), text: ' b <', children: [] },
        { name: 'C', attributes: new Map(), text: '', children: [] },
        { name: 'D', attributes: new Map(), text: '<d>', children: [] },
      ],
    });
  });

  it('brings any text back that was escaped', () => {
    const text = fc.string({ unit: 'binary' }).filter((s) => !/[\0\ufffe\uffff]/.test(s));
    fc.assert(
      fc.property(text, (s) => {
        expect(parseXml(`<a>${escapeXml(s)}</a>`).text).toBe(s);
      }),
    );
  });

  it.each([
    ['entities of its own', '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'],
    ['a file from outside', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'],
    ['an entity nobody declared', '<a>&bomb;</a>'],
    ['a bare ampersand', '<a>b & c</a>'],
    ['a surrogate by number', '<a>&#xD800;</a>'],
    ['tags that do not match', '<a><b></a></b>'],
    ['a tag that stays open', '<a><b></b>'],
    ['two roots', '<a/><b/>'],
    ['text beside the root', '<a/>b'],
    ['nothing', ''],
    ['an instruction inside', '<a><?php echo 1 ?></a>'],
    ['an attribute without quotes', '<a b=c/>'],
    ['too many levels', '<a>'.repeat(100) + '</a>'.repeat(100)],
    ['a tag without end', `<a ${'b="c" '.repeat(20_000)}/>`],
  ])('is refused with %s', (_what, text) => {
    expect(() => parseXml(text)).toThrow(expect.objectContaining({ code: 'MalformedXML', status: 400 }));
  });
});
