#!/usr/bin/perl
# Answers as the appliance's language writes them: each cell a hash, the whole encoded by JSON::XS.
# Usage: answers.pl FOLDER, or answers.pl FOLDER TIMES NAME... for answers of other lengths.
# Reads the rows that answers.py left in FOLDER, and writes:
#   perl.json             each cell's keys in the order of its own hash, columns before rows
#   perl_rows_first.json  the same, but the rows come before the columns, as they do in every second answer of such a Perl
#   perl_512.json         perl.json from 512 sources
#   perl_sorted.json      sorted keys (canonical)
#   perl_pretty.json      pretty-printed, keys as in perl.json
# With TIMES it reads NAME.json and writes NAME_<rows>.json with its rows TIMES times (25: a million, from 40,000), or NAME_few.json with that part
# of its rows.
use strict;
use warnings;
use JSON::XS;

my ($folder, $times, @names) = @ARGV;
my @COLUMNS = (
  [sourceipaddress => 'Source'], [commonport => 'Common Port'], [destinationipaddress => 'Destination'], [percenttotal => 'Traffic %'],
  [sum_packetdeltacount => 'Packets'], [sum_octetdeltacount => 'Traffic'], [first_flow_epoch => 'first_flow_epoch'],
  [last_flow_epoch => 'last_flow_epoch'],
);
my %RIGHT = map { $_ => 1 } qw(percenttotal sum_packetdeltacount sum_octetdeltacount);

sub rows {
  my ($name) = @_;
  open my $file, '<', "$folder/$name" or die "$name: $!";
  my @rows;
  while (my $line = <$file>) {
    my $n     = @rows + 1;
    my @cells = ({klasstd => "rank$n", title => "Rank: $n", label => "$n"});
    my $i     = 0;
    for my $value (@{decode_json($line)}) {
      my $element = $COLUMNS[$i++][0];
      push @cells, {
        rawValue => $value->[0], dataJson => encode_json({column => $element}), klasstd => $RIGHT{$element} ? 'alignRight' : 'alignLeft',
        klassLabel => '', title => $value->[2], label => $value->[1],
      };
    }
    push @rows, \@cells;
  }
  return \@rows;
}

# The direction's hash anew until its own order has rows and columns as wanted; JSON::XS writes a hash in that order.
sub direction {
  my ($rows, $rows_first) = @_;
  my @headers = ({title => 'Rank', label => '', klassth => 'alignRight'}, map { {elementName => $_->[0], label => $_->[1]} } @COLUMNS);
  my @kept;
  for (1 .. 1000) {
    my $hash = {columns => \@headers, rows => $rows, totalRowCount => '' . @$rows};
    my ($first) = grep { $_ ne 'totalRowCount' } keys %$hash;
    return $hash if ($first eq 'rows') == !!$rows_first;
    push @kept, $hash;    # so that the next hash is another
  }
  die 'this Perl gives all hashes one order';
}

sub answer {
  my ($name, $rows, $json, $rows_first) = @_;
  open my $file, '>', "$folder/$name.json" or die "$name: $!";
  print $file $json->encode({report => {request_id => '0x1', table => {inbound => direction($rows, $rows_first)}}});
  close $file or die "$name: $!";
}

# Another number of the same rows: NAME.json's bytes, its list of rows repeated or cut.
sub resize {
  my ($name) = @_;
  open my $file, '<', "$folder/$name.json" or die "$name: $!";
  my $text = do { local $/; <$file> };
  my $from = index($text, '"rows":[[') + 8;
  my $to   = index($text, '}]]', $from) + 2;
  my $body = substr($text, $from, $to - $from);
  my $count = () = $body =~ /\}\],\[\{/g;
  my $few   = $times < 1;
  $body = join '],[', (split /\],\[/, $body)[0 .. int(($count + 1) * $times) - 1] if $few;
  $body .= ']' if $few;
  my $rows     = ($count + 1) * $times;
  my $out_name = $few ? "${name}_few" : "${name}_$rows";
  my ($head, $tail) = map { s/("totalRowCount":")\d+/$1$rows/r } substr($text, 0, $from), substr($text, $to);
  open my $out, '>', "$folder/$out_name.json" or die "$out_name: $!";
  print $out $head, $body;
  print $out ",$body" for 2 .. $times;
  print $out $tail;
  close $out or die "$out_name: $!";
}

if (defined $times) {
  resize($_) for @names;
  exit;
}

my $rows = rows('rows.ndjson');
answer('perl', $rows, JSON::XS->new->utf8, 0);
answer('perl_rows_first', $rows, JSON::XS->new->utf8, 1);
answer('perl_sorted', $rows, JSON::XS->new->utf8->canonical, 0);
answer('perl_pretty', $rows, JSON::XS->new->utf8->pretty, 0);
answer('perl_512', rows('rows_512.ndjson'), JSON::XS->new->utf8, 0);
