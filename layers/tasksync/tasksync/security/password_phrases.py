"""Phrases that stand in lists of passwords: an estimate by words takes them for several words chosen at random.

One is found however it is spaced, decorated, capitalised or turned round, with look-alikes for letters (@ for a), with
accents, and typed on a Cyrillic keyboard that was set to Latin or the other way round. Three words of one in a row are
found, too.
"""

# ruff: noqa: RUF001  # Cyrillic words of one letter

import itertools
import unicodedata
from collections.abc import Iterator

from tasksync.security.password_walks import as_cyrillic_keys

_FEWEST_WORDS = 3
_FEWEST_LETTERS = 15

# With l as i: 1, ! and | stand for either.
# With l as i, as 1, ! and | stand for either.
_LOOK_ALIKES = str.maketrans("4@8({[<3€691!|¡l0$57+%2", "aabcccceeggiiiiiossttxz")

_ANY_ORDER = "correct horse battery staple"

_PHRASES = """
troubador and three
password is password
my password is password
this is my password
this is a password
this is not a password
this is not my password
this is my secure password
this is a secure password
this is a strong password
this is a very long password
this is a good password
this is my secret password
my very secure password
my super secret password
super secret password
my voice is my passport verify me
the password is password
the password is secret
i forgot my password
i forgot the password
i hate passwords so much
i hate my password
please let me in
open the door please
let me in right now
nobody knows my password
no one will guess this password
you will never guess this
you will never guess my password
you cant guess my password
guess my password
try to guess this
this password is too long
this password is very long
change this password
change me please
change me now please
do not use this password
default admin password
one two three four five
one two three four five six seven eight nine ten
eins zwei drei vier
uno dos tres cuatro cinco
un deux trois quatre cinq
a b c easy as one two three
access to my account
welcome to my world
welcome to the jungle
welcome to the club
welcome to the machine
hello world hello world
hello my name is
hello how are you
how are you today
what is my password
what is the password
i love you so much
i love you forever
i love you more than anything
i love you to the moon and back
i love my wife and kids
i love my mom and dad
i love my family
i love my daughter
i love my children
i love my boyfriend
i love my girlfriend
i will always love you
i love jesus christ
jesus loves me this i know
jesus is my lord and savior
jesus is the way
jesus christ is lord
god is good all the time
god is love and love is god
god is always with me
in god we trust
god bless america
god save the queen
god save the king
god so loved the world
praise the lord
the lord is my shepherd i shall not want
our father who art in heaven hallowed be thy name
hail mary full of grace
in the beginning was the word
in the beginning god created the heaven and the earth
let there be light
thou shalt not kill
love thy neighbor as thyself
an eye for an eye a tooth for a tooth
i can do all things through christ
for god so loved the world that he gave his only begotten son
ask and you shall receive
to be or not to be that is the question
whether tis nobler in the mind to suffer
all the world is a stage and all the men and women merely players
romeo romeo wherefore art thou romeo
shall i compare thee to a summers day
something is rotten in the state of denmark
the lady doth protest too much
et tu brute then fall caesar
friends romans countrymen lend me your ears
now is the winter of our discontent
a horse a horse my kingdom for a horse
double double toil and trouble
tomorrow and tomorrow and tomorrow
a rose by any other name would smell as sweet
if music be the food of love play on
the quick brown fox jumps over the lazy dog
a quick brown fox jumps over the lazy dog
pack my box with five dozen liquor jugs
sphinx of black quartz judge my vow
how vexingly quick daft zebras jump
now is the time for all good men to come to the aid of their country
lorem ipsum dolor sit amet consectetur adipiscing elit
it was the best of times it was the worst of times
call me ishmael
it was a dark and stormy night
once upon a time in a land far far away
and they lived happily ever after
it is a truth universally acknowledged
all happy families are alike
it was a bright cold day in april and the clocks were striking thirteen
big brother is watching you
war is peace freedom is slavery ignorance is strength
all animals are equal but some animals are more equal than others
so long and thanks for all the fish
the answer to life the universe and everything is forty two
the hitchhikers guide to the galaxy
dont panic and carry a towel
in a hole in the ground there lived a hobbit
one ring to rule them all one ring to find them
not all those who wander are lost
all that is gold does not glitter
speak friend and enter
you shall not pass
my precious my precious
winter is coming
a lannister always pays his debts
you know nothing jon snow
valar morghulis valar dohaeris
when you play the game of thrones you win or you die
the night is dark and full of terrors
hold the door hold the door
may the force be with you
a long time ago in a galaxy far far away
luke i am your father
no i am your father
do or do not there is no try
these arent the droids you are looking for
help me obi wan kenobi you are my only hope
i have a bad feeling about this
never tell me the odds
live long and prosper
beam me up scotty
space the final frontier
to boldly go where no man has gone before
resistance is futile you will be assimilated
make it so number one
open the pod bay doors hal
i am sorry dave i am afraid i cant do that
heres looking at you kid
frankly my dear i dont give a damn
i am going to make him an offer he cant refuse
leave the gun take the cannoli
say hello to my little friend
you cant handle the truth
i see dead people
there is no place like home
toto i have a feeling we are not in kansas anymore
follow the yellow brick road
show me the money
you had me at hello
life is like a box of chocolates
run forrest run
houston we have a problem
to infinity and beyond
just keep swimming
hakuna matata what a wonderful phrase
i am the king of the world
nobody puts baby in a corner
keep your friends close but your enemies closer
why so serious
with great power comes great responsibility
i am iron man
avengers assemble
wakanda forever
the first rule of fight club is you do not talk about fight club
hasta la vista baby
i will be back
come with me if you want to live
yippee ki yay
elementary my dear watson
my name is bond james bond
shaken not stirred
the truth is out there
i want to believe
trust no one
winners dont use drugs
all your base are belong to us
the cake is a lie
it is dangerous to go alone take this
would you kindly
war war never changes
the princess is in another castle
thank you mario but our princess is in another castle
do a barrel roll
finish him flawless victory
up up down down left right left right b a start
hello darkness my old friend
is this the real life is this just fantasy
we are the champions my friends
we will rock you
another one bites the dust
the show must go on
dont stop me now
dont stop believing
dont worry be happy
dont worry about a thing
every little thing is gonna be alright
never gonna give you up never gonna let you down
all you need is love
let it be let it be
here comes the sun
we all live in a yellow submarine
twist and shout
yesterday all my troubles seemed so far away
imagine all the people living life in peace
i cant get no satisfaction
sympathy for the devil
stairway to heaven
highway to hell
smoke on the water
another brick in the wall
we dont need no education
wish you were here
the dark side of the moon
comfortably numb
nothing else matters
master of puppets
enter sandman exit light enter night
smells like teen spirit
come as you are
sweet child o mine
knocking on heavens door
hotel california such a lovely place
sweet home alabama
born to be wild
born in the usa
livin on a prayer
its my life its now or never
every breath you take
billie jean is not my lover
dancing queen young and sweet only seventeen
thank you for the music
staying alive staying alive
i will survive
like a rolling stone
the times they are a changing
blowing in the wind
bridge over troubled water
hit me baby one more time
my heart will go on
let it go let it go
do you want to build a snowman
oops i did it again
somebody that i used to know
rolling in the deep
take me to church
shake it off shake it off
call me maybe
happy birthday to you
twinkle twinkle little star how i wonder what you are
mary had a little lamb
humpty dumpty sat on a wall
jack and jill went up the hill
row row row your boat gently down the stream
the itsy bitsy spider
old macdonald had a farm
baa baa black sheep have you any wool
london bridge is falling down
rock a bye baby on the treetop
hey diddle diddle the cat and the fiddle
three blind mice
ring around the rosie
pop goes the weasel
five little monkeys jumping on the bed
the wheels on the bus go round and round
jingle bells jingle bells jingle all the way
silent night holy night
we wish you a merry christmas
merry christmas and a happy new year
rudolph the red nosed reindeer
santa claus is coming to town
let it snow let it snow let it snow
roses are red violets are blue
peter piper picked a peck of pickled peppers
she sells sea shells by the sea shore
how much wood would a woodchuck chuck
supercalifragilisticexpialidocious
eeny meeny miny moe
head shoulders knees and toes
four score and seven years ago
we the people of the united states
we hold these truths to be self evident
life liberty and the pursuit of happiness
give me liberty or give me death
ask not what your country can do for you
i have a dream that one day
the only thing we have to fear is fear itself
one small step for man one giant leap for mankind
one nation under god indivisible
i pledge allegiance to the flag
oh say can you see by the dawns early light
the land of the free and the home of the brave
make america great again
yes we can yes we can
black lives matter
never surrender never give up
keep calm and carry on
blood sweat and tears
i think therefore i am
knowledge is power
time is money
money makes the world go round
money is the root of all evil
practice makes perfect
actions speak louder than words
better late than never
the early bird catches the worm
when in rome do as the romans do
an apple a day keeps the doctor away
curiosity killed the cat
it is raining cats and dogs
dont put all your eggs in one basket
two wrongs dont make a right
the pen is mightier than the sword
a picture is worth a thousand words
honesty is the best policy
beauty is in the eye of the beholder
a penny saved is a penny earned
all that glitters is not gold
where there is a will there is a way
you only live once
what doesnt kill you makes you stronger
everything happens for a reason
live laugh love
carpe diem seize the day
just do it just do it
believe in yourself
be the change you wish to see in the world
dream big work hard
follow your dreams
never give up on your dreams
good things come to those who wait
home sweet home
happy wife happy life
family is everything
my family is my life
my kids are my life
my dogs name is
red white and blue
black and white cat
peanut butter and jelly
macaroni and cheese
chocolate chip cookies
winnie the pooh
hello kitty hello kitty
star wars star wars
harry potter and the
the boy who lived
expecto patronum
i solemnly swear that i am up to no good
mischief managed
alohomora open the door
wingardium leviosa
avada kedavra
the lord of the rings
the fellowship of the ring
the chronicles of narnia
the hunger games
may the odds be ever in your favor
the lion the witch and the wardrobe
gotta catch em all
pokemon gotta catch em all
i choose you pikachu
spongebob squarepants
who lives in a pineapple under the sea
manchester united football club
you will never walk alone
glory glory man united
real madrid club de futbol
go hard or go home
abandon all hope ye who enter here
open sesame open sesame
abracadabra abracadabra
e pluribus unum
veni vidi vici
cogito ergo sum
carpe diem quam minimum credula postero
memento mori memento vivere
alea iacta est
per aspera ad astra
ad astra per aspera
in vino veritas
si vis pacem para bellum
sic transit gloria mundi
semper fidelis semper fi
amor vincit omnia
deus vult deus vult
gallia est omnia divisa in partes tres
arma virumque cano
quod erat demonstrandum
te amo con todo mi corazon
te quiero mucho mi amor
mi amor por siempre
dios es amor
dios te bendiga
dios es mi pastor nada me faltara
en un lugar de la mancha de cuyo nombre no quiero acordarme
la vida es bella
hala madrid y nada mas
je t aime mon amour
mon petit coeur
je pense donc je suis
liberte egalite fraternite
allons enfants de la patrie
frere jacques dormez vous
sur le pont d avignon
longtemps je me suis couche de bonne heure
mot de passe
ich liebe dich
ich liebe dich mein schatz
mein name ist hase
alle meine entchen schwimmen auf dem see
freude schoner gotterfunken tochter aus elysium
einigkeit und recht und freiheit
sesam offne dich
das ist mein passwort
mein sicheres passwort
franz jagt im komplett verwahrlosten taxi quer durch bayern
ti amo per sempre
nel mezzo del cammin di nostra vita
forza italia forza italia
eu te amo muito
meu amor minha vida
deus e fiel
kocham cie bardzo
litwo ojczyzno moja
moje haslo
я тебе люблю
я тебя люблю
я тебя очень люблю
я люблю тебя
я люблю свою сім'ю
я люблю свою маму
я люблю україну
слава україні героям слава
ще не вмерла україни і слава і воля
садок вишневий коло хати
реве та стогне дніпр широкий
як умру то поховайте мене на могилі
борітеся поборете
мені тринадцятий минало
все буде добре
все буде україна
червона рута не шукай вечорами
несе галя воду
ой у лузі червона калина
чорнобривців насіяла мати
два кольори мої два кольори
доброго вечора ми з україни
русский военный корабль иди
русский корабль иди
москва слезам не верит
мой дядя самых честных правил
я помню чудное мгновенье
белеет парус одинокий
у лукоморья дуб зеленый
буря мглою небо кроет
однажды в студеную зимнюю пору
скажи ка дядя ведь не даром
в начале было слово
отче наш иже еси на небесех
отче наш що єси на небесах
спаси и сохрани
с днем рождения
с новым годом
в лесу родилась елочка
пусть всегда будет солнце
солнечный круг небо вокруг
катюша выходила на берег
съешь ещё этих мягких французских булок
жили були дід та баба
жили были дед да баба
мама мыла раму
мама мила раму
это мой пароль
це мій пароль
мой пароль
мій пароль
мой любимый пароль
самый лучший пароль
самый сложный пароль
очень сложный пароль
дуже складний пароль
не забудь пароль
один два три четыре пять
один два три чотири п'ять
раз два три четыре пять
привет как дела
привіт як справи
до свидания
все будет хорошо
мой дом моя крепость
семья моя жизнь
"""


def without_phrases(password: str) -> str:
    """What remains of ``password`` where it has such phrases: what is added to them, each decoration once."""
    return min((_without(letters, others) for letters, others in _readings(password)), key=len, default=password)


def _readings(password: str) -> Iterator[tuple[str, str]]:
    """Ways to read it that have phrases: the letters, and what else is in it."""
    for text in (password, *as_cyrillic_keys(password)):
        folded = _folded(text)
        for reading in dict.fromkeys([folded, folded.translate(_LOOK_ALIKES)]):
            letters = "".join(filter(str.isalpha, reading)).translate(_LOOK_ALIKES)
            if _has_form(letters):
                yield letters, "".join(dict.fromkeys(each for each in reading if not each.isalpha()))


def _has_form(letters: str) -> bool:
    return any(
        letters.startswith(form, start)
        for start in range(len(letters))
        for form in _FORMS_BY_BEGINNING.get(letters[start : start + _SHORTEST], ())
    )


def _without(letters: str, others: str) -> str:
    before = ""
    while before != letters:
        before = letters
        for form in _FORMS:
            letters = letters.replace(form, "")
    return letters + others


def _folded(text: str) -> str:
    """Without capitals, accents and forms that look alike."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _forms() -> list[str]:
    """Phrases and parts of them as they are looked for, forwards and backwards, the longest first."""
    folded = _folded(_PHRASES.strip()).translate(_LOOK_ALIKES)
    phrases = [tuple(phrase.replace("'", "").split()) for phrase in folded.split("\n")]
    phrases += itertools.permutations(_ANY_ORDER.translate(_LOOK_ALIKES).split())
    forms = {"".join(words) for words in phrases}
    for words in phrases:
        for start, end in itertools.combinations(range(len(words) + 1), 2):
            if end - start >= _FEWEST_WORDS and len(form := "".join(words[start:end])) >= _FEWEST_LETTERS:
                forms.add(form)
    return sorted(forms | {form[::-1] for form in forms}, key=lambda form: (-len(form), form))


_FORMS = _forms()
_SHORTEST = len(_FORMS[-1])
# There are thousands: of most texts, no part begins as one of them.
_FORMS_BY_BEGINNING = {
    beginning: list(forms) for beginning, forms in itertools.groupby(sorted(_FORMS), key=lambda form: form[:_SHORTEST])
}
