import { mailEvent } from './mail-event.ts';
import { parseMessage } from './mime.ts';

const multipart = [
  'From: "A. Writer" <writer@Example.ORG>',
  'Subject: =?iso-8859-1?Q?Gr=FC=DFe?= and',
  ' more',
  'Content-Type: multipart/alternative; boundary="b1"',
  '',
  'preamble',
  '--b1',
  'Content-Type: text/plain; charset=iso-8859-1',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'caf=E9 =',
  'open',
  '--b1',
  'Content-Type: text/html',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from('<html><style>p{}</style><p>HELLO <a href="http://a.example">there</a>&amp;</p></html>').toString('base64'),
  '--b1--',
  '',
].join('\n');

describe('parseMessage', () => {
  it('decodes encoded words, quoted-printable, base64 and charsets, and counts leaf parts', () => {
    const message = parseMessage(multipart);
    expect(message.headers.get('subject')).toEqual(['Grüße and more']);
    expect(message.partCount).toBe(2);
    expect(message.texts.map((part) => part.kind)).toEqual(['plain', 'html']);
    expect(message.texts[0]!.text.trim()).toBe('café open');
  });

  it('reads a multipart whose boundary never comes as one text', () => {
    const message = parseMessage('Content-Type: multipart/mixed; boundary=zz\n\nall of it');
    expect(message).toMatchObject({ partCount: 1, texts: [{ kind: 'plain', text: 'all of it' }] });
  });

  it('survives a message that is headers only', () => {
    expect(parseMessage('Subject: nothing')).toMatchObject({ bodyBytes: 0, partCount: 1 });
  });
});

describe('mailEvent', () => {
  it('keeps the text, drops the markup, and counts links and letters', () => {
    const event = mailEvent(parseMessage(multipart), 0);
    expect(event.senderDomain).toBe('example.org');
    expect(event.body).toBe('café open HELLO there &');
    expect(event.linkCount).toBe(1);
    expect(event.htmlShare).toBeGreaterThan(0.4);
    expect(event.upperShare).toBeGreaterThan(0.1);
  });

  it('takes nothing from headers that the machines on the way wrote: they would betray the label', () => {
    const betraying = ['Received: from relay.one', 'X-Spam-Status: Yes', 'Delivered-To: box.two', 'List-Id: list.three', 'To: person@four'];
    const event = mailEvent(parseMessage(`${betraying.join('\n')}\nSubject: s\n\ntext`), 0);
    expect(JSON.stringify(event)).not.toMatch(/relay|one|Yes|two|three|four/);
  });

  it('has no sender domain where From states none or a substitute of the corpus makers', () => {
    expect(mailEvent(parseMessage('From: nobody\n\nx'), 0).senderDomain).toBeNull();
    expect(mailEvent(parseMessage('From: a@spamassassin.taint.org\n\nx'), 0).senderDomain).toBeNull();
  });
});
